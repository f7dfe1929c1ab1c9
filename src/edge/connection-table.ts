import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { LimitReporter } from './limit-reporter.ts';

/** Part of `maxConnections` above which connections without a request give way to new ones. */
const nearlyFull = 0.9;
/**
 * Bytes that unfinished heads of all connections may have sent together. Node's parser keeps every field as a string of its
 * own, so the heap holds four times as much, and every full collection visits each of them.
 */
const maxUnfinishedBytes: number = 4 * 1024 * 1024;
const sweepEveryMs = 500;

/** What is known about one open connection. */
interface Connection {
  /** A signature of a request on it has been verified. */
  isKnown: boolean;
  isBusy: boolean;
  /** What had been read when its last request was complete. */
  bytesRead: number;
}

/**
 * The open connections of a listener. A connection that sends no complete head, or nothing at all, costs memory for as
 * long as it lasts, and whoever opens it has proved nothing. So connections without a request give way, oldest first,
 * when the listener is nearly full; those of strangers go before those of callers who are known.
 */
export class ConnectionTable {
  readonly #max: number;
  readonly #reporter: LimitReporter;
  readonly #givesWay: 'idle' | 'any';
  readonly #open = new Map<Socket, Connection>();
  /** Connections without a request, in the order in which they became so. */
  readonly #idleStrangers = new Set<Socket>();
  readonly #idleKnown = new Set<Socket>();

  /** @param givesWay `any` where requests are so short that one which lasts is being held up by its client */
  constructor(max: number, reporter: LimitReporter, givesWay: 'idle' | 'any' = 'idle') {
    this.#max = max;
    this.#reporter = reporter;
    this.#givesWay = givesWay;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Watches the connections of a server until it is closed. */
  watch(server: Server): void {
    server.maxConnections = this.#max;
    server.on('connection', (socket: Socket) => this.#add(socket));
    const sweep = setInterval(() => this.#limitUnfinishedHeads(), sweepEveryMs);
    server.once('close', () => clearInterval(sweep));
    sweep.unref();
    // Node's own takes a connection for idle whose answer was ended and is still being sent, and cuts it off.
    server.closeIdleConnections = () => this.#closeIdle();
  }

  #closeIdle(): void {
    for (const [socket, connection] of this.#open) {
      const isReadingOn = connection.bytesRead === Number.POSITIVE_INFINITY;
      const isUsed = connection.isBusy || isReadingOn || this.#unfinishedBytes(socket) > 0;
      if (!isUsed && socket.writableLength === 0) socket.destroy();
    }
  }

  /** A request of the connection has arrived. */
  begin(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.isBusy = true;
    this.#idleOf(connection).delete(socket);
  }

  /** Its requests have been answered; `isKnown` when the last one's signature was verified. */
  end(socket: Socket, isKnown: boolean, isReadingOn = false): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.isBusy = false;
    connection.isKnown ||= isKnown;
    // What is still read of a body that was answered early is no head; the connection ends after it.
    connection.bytesRead = isReadingOn ? Number.POSITIVE_INFINITY : socket.bytesRead;
    this.#idleOf(connection).add(socket);
  }

  #add(socket: Socket): void {
    const connection: Connection = { isKnown: false, isBusy: false, bytesRead: 0 };
    this.#open.set(socket, connection);
    this.#idleStrangers.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#idleOf(connection).delete(socket);
    });
    if (this.#open.size > this.#max * nearlyFull) this.#dropOldestBut(socket);
  }

  // Where all others are busy, there is nothing to drop before the listener is full.
  #dropOldestBut(newest: Socket): void {
    const [first, second] = this.#idleStrangers;
    const [known] = this.#idleKnown;
    const oldest = (first === newest ? second : first) ?? known ?? this.#oldestBusyBut(newest);
    if (oldest !== undefined) this.#drop(oldest, 'connections');
  }

  #oldestBusyBut(newest: Socket): Socket | undefined {
    if (this.#givesWay === 'idle') return undefined;
    return [...this.#open.keys()].find((socket) => socket !== newest && !socket.destroyed);
  }

  #drop(socket: Socket, limit: 'connections' | 'unfinished_heads'): void {
    this.#idleStrangers.delete(socket);
    this.#idleKnown.delete(socket);
    // A FIN would leave the connection half open for as long as the other side likes.
    socket.resetAndDestroy();
    this.#reporter.acted(limit);
  }

  #idleOf({ isKnown }: Connection): Set<Socket> {
    return isKnown ? this.#idleKnown : this.#idleStrangers;
  }

  #limitUnfinishedHeads(): void {
    let total = 0;
    const unfinished: Socket[] = [];
    for (const sockets of [this.#idleStrangers, this.#idleKnown]) {
      for (const socket of sockets) {
        const bytes = this.#unfinishedBytes(socket);
        if (bytes === 0) continue;
        total += bytes;
        unfinished.push(socket);
      }
    }
    for (const socket of unfinished) {
      if (total <= maxUnfinishedBytes) return;
      total -= this.#unfinishedBytes(socket);
      this.#drop(socket, 'unfinished_heads');
    }
  }

  #unfinishedBytes(socket: Socket): number {
    return Math.max(0, socket.bytesRead - (this.#open.get(socket)?.bytesRead ?? 0));
  }
}
