import type { DestinationStream } from 'pino';

/** More than this is written before the end of the turn, in characters. */
const mostCharacters = 64 * 1024;

/**
 * Writes the log lines of one turn of the event loop together, in their order. A write for each line costs a tenth of a small
 * request. {@link LinesOfATurn.flush} must be called before the process ends.
 */
export class LinesOfATurn implements DestinationStream {
  readonly #sink: DestinationStream;
  #lines = '';

  constructor(sink: DestinationStream) {
    this.#sink = sink;
  }

  write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.flush());
    this.#lines += line;
    if (this.#lines.length > mostCharacters) this.flush();
  }

  /** Writes what has not been written yet. */
  flush(): void {
    const lines = this.#lines;
    if (lines === '') return;
    this.#lines = '';
    try {
      this.#sink.write(lines);
    } catch {
      // A full disk loses the lines. It must not end the process, which nothing else could report either.
    }
  }
}
