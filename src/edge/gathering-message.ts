import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import { flatCopy } from '../core/bytes.ts';
import { cutBody } from '../core/lingering.ts';
import { PieceDebt } from '../core/piece-debt.ts';
import { framingOf } from './framing-headers.ts';
import { pauseParsing } from './stop-parsing.ts';
import { stopReading } from './stop-reading.ts';

/** Pieces from this size on are kept as they are. */
const smallPiece = 1024;
const blockBytes = 16_384;
/** SDKs write their framing in chunks of its own, and data in chunks of at least 8 KiB, which is 2.7 KiB on average. */
const chunkBytes = 256;
/** Blocks start small and grow, since many requests with bodies of a few bytes can wait. */
const firstBlockBytes = 512;

/** Characters of a target that stay for the answer: a bucket and the longest key, percent-encoded. */
const keptTarget: number = 3 * 1024 + 258;

/**
 * A request that buffers its body compactly until it is read. Node keeps an object of some 400 bytes for each piece that
 * arrives meanwhile, and a piece can be an HTTP chunk of one byte, so small pieces are copied into blocks. While the body
 * is being read, pieces are passed on as they come. Trailers are dropped, because nothing uses them.
 *
 * A body of many tiny pieces is cut: its reader gets a BodyFault `fragmented`, and no further read is parsed. Counted here, because
 * one read of 64 KiB may bring 11,000 pieces before its reader is asked.
 */
export class GatheringMessage extends IncomingMessage {
  /** Called with the length of each piece of the body that arrives, after {@link bodyBytes} has grown. */
  onPiece: ((length: number) => void) | undefined;
  /** The only small piece so far. Most small bodies come in one. */
  #single: Buffer | undefined;
  #block: Buffer | undefined;
  #length = 0;
  #bodyBytes = 0;
  #freedHeadBytes = 0;
  #framing: IncomingHttpHeaders | undefined;
  /** Set once there was a tiny piece. */
  #debt: PieceDebt | undefined;
  #isCut = false;

  /**
   * The fields that Node's server and this program look at. An object of all of them, which Node makes for each request, would
   * cost 2 µs.
   */
  get framing(): IncomingHttpHeaders {
    this.#framing ??= framingOf(this.rawHeaders, true);
    return this.#framing;
  }

  /** Bytes of the body that have arrived, without the framing of HTTP chunks. */
  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** At most how many bytes the head had that has been freed; 0 while it is held. */
  get freedHeadBytes(): number {
    return this.#freedHeadBytes;
  }

  /**
   * Frees the head, but for its method, the path and its framing, once it has been read. 31 KiB of headers with long names take 90
   * KiB here, as they came and as an object, for as long as the client likes.
   */
  freeHead(): void {
    let bytes = `${this.method} ${this.url} HTTP/1.1\r\n\r\n`.length;
    for (const text of this.rawHeaders) bytes += text.length + 2;
    this.#freedHeadBytes = bytes;
    this.#framing = framingOf(this.rawHeaders, false);
    this.rawHeaders = [];
    if ((this.url?.length ?? 0) > keptTarget) this.url = flatCopy(this.url?.slice(0, keptTarget) ?? '');
  }

  override push(piece: unknown, encoding?: BufferEncoding): boolean {
    if (this.#isCut) return true;
    if (Buffer.isBuffer(piece)) {
      if (this.#isFragmentedWith(piece.length)) {
        this.#cut();
        return true;
      }
      this.#bodyBytes += piece.length;
      this.onPiece?.(piece.length);
    }
    if (this.readableFlowing !== true && Buffer.isBuffer(piece) && piece.length < smallPiece)
      return this.#gather(piece);
    // The parser has just set them. They take ten times their length in memory, and no limit on heads covers them.
    if (piece === null) this.rawTrailers = [];
    const hasRoom = this.#pushGathered();
    return super.push(piece, encoding) && hasRoom;
  }

  #isFragmentedWith(length: number): boolean {
    if (length < chunkBytes) this.#debt ??= new PieceDebt(this, chunkBytes);
    return this.#debt?.isTooMuchWith(length) === true;
  }

  #cut(): void {
    this.#isCut = true;
    cutBody(this);
    stopReading(this, new BodyFault('fragmented'));
    pauseParsing(this.socket);
  }

  override _read(size: number): void {
    this.#pushGathered();
    super._read(size);
  }

  override resume(): this {
    this.#pushGathered();
    return super.resume();
  }

  #gather(piece: Buffer): boolean {
    const single = this.#single;
    this.#single = undefined;
    if (single === undefined && this.#block === undefined) {
      this.#single = piece;
      return true;
    }
    if (single !== undefined) this.#copy(single);
    const hasRoom = this.#length + piece.length <= blockBytes || this.#pushGathered();
    this.#copy(piece);
    return hasRoom;
  }

  #copy(piece: Buffer): void {
    const needed = this.#length + piece.length;
    piece.copy(this.#blockOf(needed), this.#length);
    this.#length = needed;
  }

  #blockOf(needed: number): Buffer {
    const before = this.#block;
    if (before !== undefined && before.length >= needed) return before;
    let size = firstBlockBytes;
    while (size < needed) size *= 4;
    const block = Buffer.allocUnsafeSlow(Math.min(size, blockBytes));
    before?.copy(block, 0, 0, this.#length);
    this.#block = block;
    return block;
  }

  /** False when the stream's buffer is full. */
  #pushGathered(): boolean {
    const gathered = this.#single ?? this.#block?.subarray(0, this.#length);
    this.#single = undefined;
    this.#block = undefined;
    this.#length = 0;
    return gathered === undefined || super.push(gathered);
  }
}

// An accessor in the class would not compile, since Node's type has a plain property.
Object.defineProperty(GatheringMessage.prototype, 'headers', {
  get(this: GatheringMessage) {
    return this.framing;
  },
});
