import { BodyFault } from '../core/body-fault.ts';
import type { ChunkSignatures } from './chunk-signatures.ts';
import { TrailerFields } from './trailer-fields.ts';

const maxChunkHeaderBytes = 1024;
const maxTrailerBytes = 4096;

/** AWS's rule: every chunk but the last holds at least this much. */
const minChunkBytes = 8192;

const chunkHeader = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([^\r\n]*))?\r\n$/;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

type State = 'size' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'ended';

/**
 * Decodes aws-chunked framing: `HEX[;chunk-signature=64hex] CRLF data CRLF … 0[;…] CRLF`, then {@link TrailerFields}, of which the
 * last CRLF may be missing. Data passes through without being copied, in chunks of any size.
 * Source: AWS "Transferring Payload in Multiple Chunks".
 */
export class ChunkDecoder {
  readonly #signatures: ChunkSignatures | undefined;
  readonly #trailer: TrailerFields;
  #state: State = 'size';
  /** Bytes of the current chunk still to come. */
  #left = 0;
  #declaredLeft: number;
  #line = '';
  #trailerBytes = 0;
  #isLastSmall = false;

  /**
   * @param decodedLength the number of data bytes that the client declared
   * @param signatures present when each chunk must be signed; otherwise none may be
   */
  constructor(decodedLength: number, signatures?: ChunkSignatures) {
    this.#declaredLeft = decodedLength;
    this.#signatures = signatures;
    this.#trailer = new TrailerFields(signatures);
  }

  /**
   * Takes bytes from the wire and returns the data in them.
   * @throws BodyFault `chunk_malformed`, `chunk_too_small`, `chunk_signature_mismatch`, `trailer_malformed`, or `incomplete` when
   * there is more data than declared
   */
  push(bytes: Buffer): Buffer[] {
    const data: Buffer[] = [];
    let index = 0;
    while (index < bytes.length) {
      switch (this.#state) {
        case 'data': {
          const piece = bytes.subarray(index, index + this.#left);
          this.#takeData(piece);
          data.push(piece);
          index += piece.length;
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
   * @throws BodyFault `incomplete` when the framing has not ended or there is less data than declared, and those of
   * {@link TrailerFields.end}
   */
  end(): ReadonlyMap<string, string> {
    const hasEnded = this.#state === 'ended' || (this.#state === 'trailers' && this.#line === '');
    if (!hasEnded || this.#declaredLeft !== 0) throw new BodyFault('incomplete');
    return this.#trailer.end();
  }

  #takeData(piece: Buffer): void {
    this.#signatures?.update(piece);
    this.#left -= piece.length;
    if (this.#left > 0) return;
    this.#signatures?.end();
    this.#state = 'data-cr';
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
    const [, digits, signature] = chunkHeader.exec(line) ?? [];
    const isSigned = signature !== undefined;
    if (digits === undefined || (isSigned && this.#signatures === undefined))
      throw new BodyFault('chunk_malformed');
    const size = Number.parseInt(digits, 16);
    if (size > this.#declaredLeft) throw new BodyFault('incomplete');
    this.#signatures?.begin(signature ?? '');
    if (size === 0) {
      this.#signatures?.end();
      this.#state = 'trailers';
      return;
    }
    if (this.#isLastSmall) throw new BodyFault('chunk_too_small');
    this.#isLastSmall = size < minChunkBytes;
    this.#declaredLeft -= size;
    this.#left = size;
    this.#state = 'data';
  }

  #readTrailer(line: string): void {
    this.#trailerBytes += line.length;
    if (this.#trailer.read(line)) this.#state = 'ended';
  }
}
