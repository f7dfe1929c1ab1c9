import { IncomingMessage } from 'node:http';

/** Pieces from this size on are kept as they are. */
const smallPiece = 1024;
const blockBytes = 16_384;

/**
 * A request whose body is not being read yet: it waits for its turn, for a decision, or for a store that is slow. Node
 * keeps an object of some 400 bytes for each piece that arrives meanwhile, and a piece can be an HTTP chunk of one byte.
 * Here small pieces are copied together. While the body is being read, pieces are passed on as they come.
 */
export class GatheringMessage extends IncomingMessage {
  /** A small piece as long as it is the only one: most small bodies are one. */
  #single: Buffer | undefined;
  #block: Buffer | undefined;
  #length = 0;

  override push(piece: unknown, encoding?: BufferEncoding): boolean {
    if (this.readableFlowing !== true && Buffer.isBuffer(piece) && piece.length < smallPiece)
      return this.#gather(piece);
    const hasRoom = this.#pushGathered();
    return super.push(piece, encoding) && hasRoom;
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
    this.#block ??= Buffer.allocUnsafeSlow(blockBytes);
    piece.copy(this.#block, this.#length);
    this.#length += piece.length;
  }

  /** True while more may come. */
  #pushGathered(): boolean {
    const gathered = this.#single ?? this.#block?.subarray(0, this.#length);
    this.#single = undefined;
    this.#block = undefined;
    this.#length = 0;
    return gathered === undefined || super.push(gathered);
  }
}
