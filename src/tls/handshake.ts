import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { resetConnection } from '../core/reset-connection.ts';
import { type AwaitedTurn, askForTurn, strangersHandshakes, takeShare } from '../core/turns.ts';
import { clientAddress, networkOf } from '../edge/client-address.ts';
import type { HandshakeFailure } from '../observe/metrics.ts';
import { helloState } from './client-hello.ts';

/** What happens in one handshake. */
export interface HandshakeEvents {
  /** The memory that it takes has changed, to so many bytes. */
  readonly onMemory: (bytes: number) => void;
  /** The ClientHello is complete and its turn has come: TLS takes over the connection, from which nothing seems to have been read. */
  readonly onTurn: () => void;
  /** It will not succeed, and the connection is being closed. */
  readonly onFailed: (reason: HandshakeFailure) => void;
}

/** What the handshakes of one listener have in common. */
export interface HandshakeCosts {
  /** How long one may take, in milliseconds. */
  readonly deadlineMs: number;
  /** Memory of one from its ClientHello on, in bytes. */
  readonly memoryBytes: number;
  /** How long the last ones took of their turn, in milliseconds. */
  lastMs: number;
}

/** Handshakes of one turn of the event loop may take as long together. */
const turnMs = 2;
const leastShare: number = 1 / 16;
/** Most bytes that are read before TLS takes over: the longest ClientHello, in records, and as much again behind it. */
const maxBytes: number = 32 * 1024;
/** Most reads before. A ClientHello comes in one packet or two. */
const maxReads = 64;

const plainRefusal: string =
  'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 27\r\n\r\n' +
  'this port speaks https only';

/**
 * One connection on its way to TLS. TLS begins only when the whole ClientHello has arrived and a turn of the event loop has come:
 * until then the connection costs what one without TLS costs. OpenSSL would reserve up to 128 KiB for what the first nine bytes
 * announce, and signs at once for each ClientHello, which takes a millisecond. The networks of clients take turns.
 */
export class Handshake {
  readonly #socket: Socket;
  readonly #costs: HandshakeCosts;
  readonly #events: HandshakeEvents;
  readonly #deadline: NodeJS.Timeout;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #turn: AwaitedTurn | undefined;
  #state: 'hello' | 'turn' | 'tls' | 'over' = 'hello';

  constructor(socket: Socket, costs: HandshakeCosts, events: HandshakeEvents) {
    this.#socket = socket;
    this.#costs = costs;
    this.#events = events;
    this.#deadline = setTimeout(() => this.fail('timeout'), costs.deadlineMs);
    socket.on('readable', this.#read);
    socket.once('end', this.#end);
    socket.once('close', () => this.finish());
  }

  /** Closes the connection at once. */
  fail(reason: HandshakeFailure): void {
    if (this.#state === 'over') return;
    this.finish();
    resetConnection(this.#socket);
    this.#events.onFailed(reason);
  }

  /** Notes that it has succeeded, or that the connection is closed. */
  finish(): void {
    this.#state = 'over';
    clearTimeout(this.#deadline);
    this.#stopReading();
    this.#turn?.abandon();
    this.#pieces.length = 0;
  }

  readonly #read = (): void => {
    for (;;) {
      const piece: unknown = this.#socket.read();
      if (!Buffer.isBuffer(piece)) return;
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      if (this.#bytes > maxBytes || this.#pieces.length > maxReads) this.fail('not_tls');
      if (this.#state === 'hello') this.#readHello();
      if (this.#state === 'over' || this.#state === 'tls') return;
      this.#events.onMemory(this.#bytes);
    }
  };

  /** A client that ends its side before its ClientHello is complete, or while that waits. */
  readonly #end = (): void => {
    this.#socket.destroy();
  };

  #readHello(): void {
    const bytes = Buffer.concat(this.#pieces);
    switch (helloState(bytes)) {
      case 'incomplete':
        return;
      case 'not_tls':
        if (seemsHttp(bytes)) this.#socket.end(plainRefusal);
        this.fail('not_tls');
        return;
      case 'complete':
        this.#awaitTurn();
    }
  }

  #awaitTurn(): void {
    this.#state = 'turn';
    const share = Math.min(Math.max(this.#costs.lastMs / turnMs, leastShare), 1);
    if (takeShare(strangersHandshakes, share)) {
      this.#begin();
      return;
    }
    const turn = askForTurn(strangersHandshakes, networkOf(clientAddress(this.#socket) ?? ''), share);
    this.#turn = turn;
    void turn.comes.then(() => this.#begin());
  }

  #begin(): void {
    if (this.#state !== 'turn') return;
    this.#state = 'tls';
    this.#stopReading();
    this.#socket.unshift(Buffer.concat(this.#pieces));
    this.#pieces.length = 0;
    this.#events.onMemory(this.#bytes + this.#costs.memoryBytes);
    if (this.#socket.destroyed) return;
    // Nobody listens for the end of a client that leaves before it has succeeded.
    this.#socket.allowHalfOpen = false;
    const beganAt = performance.now();
    this.#events.onTurn();
    // Node reads what is there on the next tick, before this one.
    process.nextTick(() => {
      this.#costs.lastMs = performance.now() - beganAt;
    });
  }

  #stopReading(): void {
    this.#socket.off('readable', this.#read);
    this.#socket.off('end', this.#end);
  }
}

function seemsHttp(bytes: Buffer): boolean {
  return /^[A-Z]{3,7} /.test(bytes.subarray(0, 8).toString('latin1'));
}
