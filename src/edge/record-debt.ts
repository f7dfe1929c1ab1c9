import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What a record costs, in bytes: Node hands each to the parser by itself. */
const recordBytes = 16;
/** Tiny records that a connection may send in a row. No client writes a head byte by byte. */
const fewRecords = 256;

/**
 * Tells connections whose TLS records hold a few bytes each. One read of 64 KiB brings 2,000 of them, which take as long as some MiB
 * of data. A record takes up debt in the amount that it is shorter than what it costs, and pays some off when it is longer. Without TLS the kernel
 * joins what is sent in tiny packets.
 */
export class RecordDebt {
  readonly #socket: Socket;
  readonly #isSecure: boolean;
  #read = 0;
  #debt = 0;

  /** @param socket a connection, whose handshake is over */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#isSecure = socket instanceof TLSSocket;
  }

  /** Counts a record that has been read. True once there were too many tiny ones. */
  isTooMuch(): boolean {
    if (!this.#isSecure) return false;
    const { bytesRead } = this.#socket;
    this.#debt = Math.max(0, this.#debt + recordBytes - (bytesRead - this.#read));
    this.#read = bytesRead;
    return this.#debt > fewRecords * recordBytes;
  }
}
