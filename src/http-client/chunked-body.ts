import { readHeaderLines } from './header-lines.ts';
import { protocolFault } from './http-fault.ts';

const maxSizeLine = 256;
const maxTrailerBytes = 8192;
const lineFeed = 0x0a;
/** Smaller chunks are joined, because each piece that is passed on costs hundreds of bytes downstream. */
const smallChunk = 1024;

/** A size below 2^52, and extensions without quotes (RFC 9112 section 7.1), which are ignored. */
const sizeLine =
  /^([0-9a-fA-F]{1,13})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)*\r\n$/;

/** Headers that decide where a message ends. They are valid in its head only. */
const notInTrailers: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
]);

type State = 'size' | 'data' | 'data-end' | 'trailers' | 'ended';

/**
 * Decodes the chunks of one answer, and drops the trailers. Data is not copied, except that small chunks are joined in place.
 */
export class ChunkedBody {
  #state: State = 'size';
  /** Bytes of the current chunk still to come. */
  #left = 0;
  /** The incomplete line: a size, the end of a chunk, or all trailers so far. */
  #line = '';

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Decodes `bytes` from `start` on, and passes the data to `take`. Returns the index where it stopped: the end of `bytes` or
   * of the body. The bytes before that index may be overwritten.
   *
   * @throws HttpFault `protocol`
   */
  push(bytes: Buffer, start: number, take: (data: Buffer) => void): number {
    let index = start;
    let gatheredFrom = start;
    let gatheredTo = start;
    const takeGathered = (): void => {
      if (gatheredTo > gatheredFrom) take(bytes.subarray(gatheredFrom, gatheredTo));
      gatheredFrom = gatheredTo;
    };
    try {
      while (index < bytes.length && this.#state !== 'ended') {
        if (this.#state !== 'data') {
          index = this.#readLine(bytes, index);
          continue;
        }
        const end = Math.min(index + this.#left, bytes.length);
        this.#left -= end - index;
        if (this.#left === 0) this.#state = 'data-end';
        if (end - index >= smallChunk) {
          takeGathered();
          take(bytes.subarray(index, end));
          gatheredFrom = end;
          gatheredTo = end;
        } else {
          // INVARIANT: the target starts after everything that was passed on, and ends before the chunk that is moved.
          bytes.copyWithin(gatheredTo, index, end);
          gatheredTo += end - index;
        }
        index = end;
      }
    } finally {
      takeGathered();
    }
    return index;
  }

  #readLine(bytes: Buffer, start: number): number {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found + 1;
    const limit = this.#state === 'trailers' ? maxTrailerBytes : this.#state === 'size' ? maxSizeLine : 2;
    if (this.#line.length + end - start > limit)
      throw protocolFault('a line of the chunked body is too long');
    this.#line += bytes.toString('latin1', start, end);
    if (found >= 0) this.#endLine();
    return end;
  }

  #endLine(): void {
    const line = this.#line;
    if (this.#state === 'trailers') {
      if (!line.endsWith('\r\n\r\n') && line !== '\r\n') return;
      this.#line = '';
      this.#checkTrailers(line.slice(0, -2));
      this.#state = 'ended';
      return;
    }
    this.#line = '';
    if (this.#state === 'data-end') {
      if (line !== '\r\n') throw protocolFault('a chunk does not end where its size says');
      this.#state = 'size';
      return;
    }
    const digits = sizeLine.exec(line)?.[1];
    if (digits === undefined) throw protocolFault('the size of a chunk is malformed');
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'data';
  }

  #checkTrailers(text: string): void {
    const fields = readHeaderLines(text, 0);
    for (let index = 0; index < fields.length; index += 2) {
      if (notInTrailers.has(fields[index] ?? ''))
        throw protocolFault('a trailer names a header of the framing');
    }
  }
}
