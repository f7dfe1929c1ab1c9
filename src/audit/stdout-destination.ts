import { writeSync } from 'node:fs';
import { codeOf, type Destination, SinkError } from './destination.ts';

/** Writes bytes from an offset on, at once, and returns how many were written. */
export type WriteBytes = (bytes: Uint8Array, offset: number) => number;

const standardOutput: WriteBytes = (bytes, offset) => writeSync(1, bytes, offset);

/** Records as lines of the standard output, between those of the log. They begin with `eventVersion`, and have no `level`. */
export class StdoutDestination implements Destination {
  readonly name = 'stdout';
  readonly batch = { lines: 1_000, bytes: 65_536 };
  readonly isLocal = true;
  readonly #write: WriteBytes;
  /** Bytes of the batch that were written before an attempt failed. */
  #written = 0;

  constructor(write: WriteBytes = standardOutput) {
    this.#write = write;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  // Not in another turn, as the log writes its lines at once too: theirs and these must not be mixed.
  async deliver(lines: readonly string[]): Promise<number> {
    const bytes = Buffer.from(lines.join(''));
    try {
      while (this.#written < bytes.length) this.#written += this.#write(bytes, this.#written);
    } catch (cause) {
      throw new SinkError(`cannot be written to: ${codeOf(cause)}`, { cause });
    }
    this.#written = 0;
    return lines.length;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
