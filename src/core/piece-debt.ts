import type { IncomingMessage } from 'node:http';

/**
 * Tiny HTTP chunks that a body may have. Clients that write little at a time send some; with a thousand for each form, 50
 * connections of a stranger held the event loop.
 */
const fewChunks = 128;
/** Tiny packets that a body may come in. One of a single byte costs its sender as much as us. */
const fewPackets = 1024;
/** What a packet costs, in bytes. */
const packetBytes = 16;

/**
 * Tells bodies that consist of tiny pieces. Parsing an HTTP chunk takes as long as hundreds of its bytes, and a read of 64 KiB
 * holds 11,000 chunks of one byte. A piece takes up debt in the amount that it is shorter than what it costs, and pays some off when it
 * is longer; but long pieces give no credit for tiny ones that follow.
 */
export class PieceDebt {
  readonly #cost: number;
  readonly #mostDebt: number;
  #debt = 0;

  /** @param chunkBytes the length of an HTTP chunk that costs as much as its bytes */
  constructor({ headers }: IncomingMessage, chunkBytes: number) {
    const isChunked = headers['transfer-encoding'] !== undefined;
    this.#cost = isChunked ? chunkBytes : packetBytes;
    this.#mostDebt = (isChunked ? fewChunks : fewPackets) * this.#cost;
  }

  /** Counts a piece. True once there were too many tiny pieces. */
  isTooMuchWith(length: number): boolean {
    this.#debt = Math.max(0, this.#debt + this.#cost - length);
    return this.#debt > this.#mostDebt;
  }
}
