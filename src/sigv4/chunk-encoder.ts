import { checksumTextLength } from './checksum.ts';
import type { AnnouncedTrailer } from './checksum-trailer.ts';

const chunkBytes = 65_536;
const lineEnd = Buffer.from('\r\n');

/**
 * Writes aws-chunked framing with unsigned chunks of 64 KiB, the last one shorter, and a checksum trailer. The
 * length on the wire is known beforehand. Source: AWS "Transferring Payload in Multiple Chunks".
 */
export class ChunkEncoder {
  readonly #trailer: AnnouncedTrailer;
  #left: number;
  #chunkLeft = 0;
  /** Bytes on the wire in all. */
  readonly wireLength: number;

  /** @param decodedLength the number of data bytes that will be given to {@link ChunkEncoder.frame}. */
  constructor(decodedLength: number, trailer: AnnouncedTrailer) {
    this.#trailer = trailer;
    this.#left = decodedLength;
    const last = decodedLength % chunkBytes;
    const full = (decodedLength - last) / chunkBytes;
    const end = endOfBody(trailer, ' '.repeat(checksumTextLength(trailer.algorithm)));
    this.wireLength = full * framedLength(chunkBytes) + (last === 0 ? 0 : framedLength(last)) + end.length;
  }

  /** Frames the next data bytes, which are not copied. */
  frame(data: Buffer): Buffer[] {
    const wire: Buffer[] = [];
    let rest = data;
    while (rest.length > 0) {
      if (this.#chunkLeft === 0) {
        this.#chunkLeft = Math.min(chunkBytes, this.#left);
        wire.push(chunkHeader(this.#chunkLeft));
      }
      const piece = rest.subarray(0, this.#chunkLeft);
      wire.push(piece);
      rest = rest.subarray(piece.length);
      this.#left -= piece.length;
      this.#chunkLeft -= piece.length;
      if (this.#chunkLeft === 0) wire.push(lineEnd);
    }
    return wire;
  }

  /** The last chunk, which is empty, and the trailer with the checksum in base64. */
  end(checksum: string): Buffer {
    return endOfBody(this.#trailer, checksum);
  }
}

function chunkHeader(length: number): Buffer {
  return Buffer.from(`${length.toString(16)}\r\n`);
}

function framedLength(length: number): number {
  return chunkHeader(length).length + length + lineEnd.length;
}

function endOfBody(trailer: AnnouncedTrailer, checksum: string): Buffer {
  return Buffer.from(`0\r\n${trailer.name}:${checksum}\r\n\r\n`);
}
