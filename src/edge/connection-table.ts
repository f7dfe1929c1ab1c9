import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { LimitReporter } from './limit-reporter.ts';
import { UnplacedBytes } from './unplaced-bytes.ts';
import { forgetHead, watchParser } from './watch-parser.ts';

/** Part of `maxConnections` above which connections without a request give way to new ones. */
const nearlyFull = 0.9;
/**
 * Bytes of heads and trailers that all connections together may have sent outside the places of requests. Node's parser keeps
 * every field as a string of its own, so the heap holds four times as much, and every full collection visits each of them.
 */
const maxUnplacedBytes: number = 4 * 1024 * 1024;
/** How long a connection that is in the middle of a head, or of a refused upload, lasts while the listener drains. */
const drainPatienceMs = 2_000;

/** What is known about one open connection. */
interface Connection {
  /** A signature of a request on it has been verified. */
  isKnown: boolean;
  isBusy: boolean;
  /** It will be closed soon, because the listener drains. */
  isLeaving: boolean;
  readonly unplaced: UnplacedBytes;
  /** Its part of the total. */
  unplacedBytes: number;
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
  /** Connections that hold bytes outside a place, in the order in which they began to. */
  readonly #withUnplaced = new Set<Socket>();
  #unplacedBytes = 0;

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
    // Node's own takes a connection for idle whose answer was ended and is still being sent, and cuts it off.
    server.closeIdleConnections = () => this.#closeIdle();
  }

  #closeIdle(): void {
    for (const [socket, connection] of this.#open) {
      const { isBusy, isLeaving, unplacedBytes, unplaced } = connection;
      if (isBusy || isLeaving || socket.writableLength > 0) continue;
      if (unplacedBytes === 0 && !unplaced.isBodyUnread) {
        socket.destroy();
        continue;
      }
      connection.isLeaving = true;
      const leave = (): void => {
        connection.isLeaving = false;
        if (!connection.isBusy) socket.destroy();
      };
      setTimeout(leave, drainPatienceMs).unref();
    }
  }

  /** A request of the connection has arrived. */
  begin(message: IncomingMessage): void {
    const { socket } = message;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.isBusy = true;
    connection.unplaced.endHead(message);
    this.#idleOf(connection).delete(socket);
  }

  /** Its requests have been answered; `isKnown` when the last one's signature was verified. */
  end(socket: Socket, isKnown: boolean): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.isBusy = false;
    connection.isKnown ||= isKnown;
    this.#idleOf(connection).add(socket);
    this.#recount(socket, connection);
  }

  #add(socket: Socket): void {
    const connection: Connection = {
      isKnown: false,
      isBusy: false,
      isLeaving: false,
      unplaced: new UnplacedBytes(socket),
      unplacedBytes: 0,
    };
    this.#open.set(socket, connection);
    this.#idleStrangers.add(socket);
    watchParser(socket, {
      onHeadBegins: () => connection.unplaced.beginHead(),
      onReadParsed: () => {
        connection.unplaced.endRead();
        this.#recount(socket, connection);
      },
    });
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#idleOf(connection).delete(socket);
      this.#setUnplaced(socket, connection, 0);
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
    const connection = this.#open.get(socket);
    if (connection !== undefined) this.#setUnplaced(socket, connection, 0);
    forgetHead(socket);
    this.#reporter.acted(limit);
  }

  #idleOf({ isKnown }: Connection): Set<Socket> {
    return isKnown ? this.#idleKnown : this.#idleStrangers;
  }

  #recount(socket: Socket, connection: Connection): void {
    if (socket.destroyed) return;
    this.#setUnplaced(socket, connection, connection.unplaced.count(connection.isBusy));
    while (this.#unplacedBytes > maxUnplacedBytes) {
      const first = this.#firstOfUnplaced();
      if (first === undefined) return;
      this.#drop(first, 'unfinished_heads');
    }
  }

  #setUnplaced(socket: Socket, connection: Connection, bytes: number): void {
    this.#unplacedBytes += bytes - connection.unplacedBytes;
    connection.unplacedBytes = bytes;
    if (bytes === 0) this.#withUnplaced.delete(socket);
    else this.#withUnplaced.add(socket);
  }

  #firstOfUnplaced(): Socket | undefined {
    for (const socket of this.#withUnplaced) if (this.#open.get(socket)?.isKnown === false) return socket;
    const [known] = this.#withUnplaced;
    return known;
  }
}
