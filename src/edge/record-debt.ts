import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { TLSSocket } from 'node:tls';
import { watchParser } from './watch-parser.ts';

/** What a record costs, in bytes: Node hands each to the parser by itself, which takes some 2 µs. */
const recordBytes = 128;
/** A record pays off the debt of one tiny record for each of so many of its bytes. */
const payingBytes = 1024;
/** Tiny records that a connection may send at once. Usual clients write a head in one record. */
const fewRecords = 256;
/** Tiny records that it may send in a second, however long. */
const recordsPerSecond = 200;

/**
 * Tells connections that send many TLS records of a few bytes each. One read of 64 KiB brings 2,000 of them, which take as long as some MiB
 * of data. A record takes up debt in the amount that it is shorter than what it costs. Time pays it off, and so do longer records, by what they
 * cost themselves: a client that writes a chunk of a body, its length and its line end one by one is served. Without TLS the kernel joins what is
 * sent in tiny packets.
 */
export class RecordDebt {
  readonly #socket: Socket;
  readonly #isSecure: boolean;
  #read = 0;
  #debt = 0;
  #countedAtMs = 0;

  /** @param socket a connection, whose handshake is over */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#isSecure = socket instanceof TLSSocket;
  }

  /** Counts a record that has been read. True once there were too many tiny ones. */
  isTooMuch(): boolean {
    if (!this.#isSecure) return false;
    const { bytesRead } = this.#socket;
    const bytes = bytesRead - this.#read;
    this.#read = bytesRead;
    if (this.#debt === 0 && bytes >= recordBytes) return false;
    const nowMs = performance.now();
    const paidByTime = ((nowMs - this.#countedAtMs) / 1000) * recordsPerSecond * recordBytes;
    this.#countedAtMs = nowMs;
    const left = Math.max(0, this.#debt - paidByTime);
    const paid = Math.min(bytes, recordBytes * (1 + Math.max(1, Math.floor(bytes / payingBytes))));
    this.#debt = Math.max(0, left + recordBytes - paid);
    return this.#debt > fewRecords * recordBytes;
  }
}

/** Ends the connections of a server that send too many tiny records. For one without a table of its connections. */
export function endTinyRecords(server: Server): void {
  server.on('connection', (socket: Socket) => {
    const records = new RecordDebt(socket);
    const onReadParsed = (): void => {
      if (!socket.destroyed && records.isTooMuch()) socket.destroy();
    };
    watchParser(socket, { onHeadBegins: () => undefined, onReadParsed });
  });
}
