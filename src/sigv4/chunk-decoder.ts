import { BodyFault } from '../core/body-fault.ts';
import { trimOws } from '../core/header-list.ts';

const maxChunkHeaderBytes = 1024;
const maxTrailerBytes = 4096;

/** AWS's rule: every chunk but the last holds at least this much. */
const minChunkBytes = 8192;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

type State = 'size' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'ended';

/**
 * Decodes aws-chunked framing with unsigned chunks:
 * `HEX CRLF data CRLF … 0 CRLF [name:value CRLF]* CRLF`; the last CRLF may be missing. Data passes through without
 * being copied, in chunks of any size. Source: AWS "Transferring Payload in Multiple Chunks".
 */
export class ChunkDecoder {
  readonly #trailers = new Map<string, string>();
  #state: State = 'size';
  /** Bytes of the current chunk still to come. */
  #left = 0;
  #declaredLeft: number;
  #line = '';
  #trailerBytes = 0;
  #isLastSmall = false;

  /** @param decodedLength the number of data bytes that the client declared. */
  constructor(decodedLength: number) {
    this.#declaredLeft = decodedLength;
  }

  /**
   * Takes bytes from the wire and returns the data in them.
   * @throws BodyFault `chunk_malformed`, `chunk_too_small`, `trailer_malformed`, or `incomplete` when there is more data
   * than declared
   */
  push(bytes: Buffer): Buffer[] {
    const data: Buffer[] = [];
    let index = 0;
    while (index < bytes.length) {
      switch (this.#state) {
        case 'data': {
          const piece = bytes.subarray(index, index + this.#left);
          data.push(piece);
          index += piece.length;
          this.#left -= piece.length;
          if (this.#left === 0) this.#state = 'data-cr';
          break;
        }
        case 'data-cr':
          this.#expect(bytes[index], carriageReturn, 'data-lf');
          index += 1;
          break;
        case 'data-lf':
          this.#expect(bytes[index], lineFeed, 'size');
          index += 1;
          break;
        case 'size':
        case 'trailers':
          index = this.#readLine(bytes, index);
          break;
        case 'ended':
          throw new BodyFault('chunk_malformed');
      }
    }
    return data;
  }

  /**
   * Call at the end of the body. Returns the trailer fields by lower-case name.
   * @throws BodyFault `incomplete` when the framing has not ended or there is less data than declared
   */
  end(): ReadonlyMap<string, string> {
    const hasEnded = this.#state === 'ended' || (this.#state === 'trailers' && this.#line === '');
    if (!hasEnded || this.#declaredLeft !== 0) throw new BodyFault('incomplete');
    return this.#trailers;
  }

  #expect(byte: number | undefined, wanted: number, next: State): void {
    if (byte !== wanted) throw new BodyFault('chunk_malformed');
    this.#state = next;
  }

  #readLine(bytes: Buffer, start: number): number {
    const isHeader = this.#state === 'size';
    const limit = isHeader ? maxChunkHeaderBytes : maxTrailerBytes - this.#trailerBytes;
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found + 1;
    if (this.#line.length + end - start > limit) {
      throw new BodyFault(isHeader ? 'chunk_malformed' : 'trailer_malformed');
    }
    this.#line += bytes.toString('latin1', start, end);
    if (found < 0) return end;
    const line = this.#line;
    this.#line = '';
    if (isHeader) this.#startChunk(line);
    else this.#readTrailer(line);
    return end;
  }

  #startChunk(line: string): void {
    const digits = /^([0-9a-fA-F]{1,12})\r\n$/.exec(line)?.[1];
    if (digits === undefined) throw new BodyFault('chunk_malformed');
    const size = Number.parseInt(digits, 16);
    if (size === 0) {
      this.#state = 'trailers';
      return;
    }
    if (size > this.#declaredLeft) throw new BodyFault('incomplete');
    if (this.#isLastSmall) throw new BodyFault('chunk_too_small');
    this.#isLastSmall = size < minChunkBytes;
    this.#declaredLeft -= size;
    this.#left = size;
    this.#state = 'data';
  }

  #readTrailer(line: string): void {
    this.#trailerBytes += line.length;
    if (line === '\r\n') {
      this.#state = 'ended';
      return;
    }
    const [, name = '', value = ''] = /^([A-Za-z0-9-]+):([^\r\n]*)\r\n$/.exec(line) ?? [];
    const lowerName = name.toLowerCase();
    if (name === '' || this.#trailers.has(lowerName)) throw new BodyFault('trailer_malformed');
    this.#trailers.set(lowerName, trimOws(value));
  }
}
