import type { IncomingMessage } from 'node:http';

/** A slow sender may send some tiny pieces. Thousands of them are an attack. */
const fewPieces = 1024;
/** What a piece costs that comes by itself, in bytes: a packet of one byte costs its sender as much as us. */
const packetBytes = 16;

/**
 * Tells bodies that consist of tiny pieces. Parsing an HTTP chunk takes as long as hundreds of its bytes, and a read of 64 KiB
 * holds 11,000 chunks of one byte. A piece takes up debt in the amount that it is shorter than what it costs, and pays some off when it
 * is longer; but long pieces give no credit for tiny ones that follow.
 */
export class PieceDebt {
  readonly #cost: number;
  #debt = 0;

  /** @param chunkBytes the length of an HTTP chunk that costs as much as its bytes */
  constructor({ headers }: IncomingMessage, chunkBytes: number) {
    this.#cost = headers['transfer-encoding'] === undefined ? packetBytes : chunkBytes;
  }

  /** Counts a piece. True once there were about a thousand tiny pieces too many. */
  isTooMuchWith(length: number): boolean {
    this.#debt = Math.max(0, this.#debt + this.#cost - length);
    return this.#debt > fewPieces * this.#cost;
  }
}
