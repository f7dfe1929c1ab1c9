import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { resetConnection } from '../core/reset-connection.ts';
import type { LimitReporter } from './limit-reporter.ts';
import { RecordDebt } from './record-debt.ts';
import { survive } from './survive-errors.ts';
import { UnplacedMemory } from './unplaced-memory.ts';
import { forgetHead, watchParser } from './watch-parser.ts';

/** Part of `maxConnections` above which connections without a request give way to new ones. */
const nearlyFull = 0.9;
/** Part of `maxConnections` that idle connections with a verified request may hold before they give way first. */
const shareOfKnown = 0.5;
/** Most memory that all connections together take outside the places of requests, in bytes. */
const maxUnplacedBytes: number = 16 * 1024 * 1024;
/** Far more than heads that are on their way take. */
const muchUnplacedBytes: number = 1024 * 1024;
/** How long a connection in the middle of a head or of a refused upload stays open while the listener drains. */
const drainPatienceMs = 2_000;

/** The state of one open connection. */
interface Connection {
  /** True once the signature of a request on it has been verified. */
  isKnown: boolean;
  isBusy: boolean;
  /** True while a timer of the drain is going to close it. */
  isLeaving: boolean;
  readonly unplaced: UnplacedMemory;
  /** Its part of the total. */
  unplacedBytes: number;
}

/**
 * The open connections of a listener. Opening one takes no credentials, and each costs memory even if it never sends a
 * request. When the listener is nearly full, connections without a request are closed, oldest first: those without a
 * verified request before the others, unless these hold half of the listener. One caller could keep them all.
 *
 * When too much memory is held outside the places of requests, what has lasted longest is closed, regardless of its sender: an
 * ordinary head lasts some milliseconds, and so does a handshake of TLS. Refused uploads without their heads are closed last,
 * because they take little and their clients have yet to read why.
 */
export class ConnectionTable {
  readonly #max: number;
  readonly #reporter: LimitReporter;
  readonly #givesWay: 'idle' | 'any';
  readonly #open = new Map<Socket, Connection>();
  /** Connections without a request, in the order in which they became idle. */
  readonly #idleStrangers = new Set<Socket>();
  readonly #idleKnown = new Set<Socket>();
  /** Connections with memory outside a place, in the order in which they began to have some. */
  readonly #withUnplaced = new Set<Socket>();
  /** The same for refused uploads that take little. */
  readonly #withSmall = new Set<Socket>();
  #unplacedBytes = 0;

  /** @param givesWay `any` if busy connections may be closed too, for listeners whose requests are short */
  constructor(max: number, reporter: LimitReporter, givesWay: 'idle' | 'any' = 'idle') {
    this.#max = max;
    this.#reporter = reporter;
    this.#givesWay = givesWay;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Watches the connections of a server until it is closed.
   * @param maxHeaderBytes the server's limit on the size of a head
   */
  watch(server: Server, maxHeaderBytes: number): void {
    server.maxConnections = this.#max;
    server.on('connection', (socket: Socket) => this.#add(socket, maxHeaderBytes));
    server.on('handshake', (raw: Socket) => this.#add(raw, maxHeaderBytes));
    server.on('handshakeMemory', (raw: Socket, bytes: number) => this.#countHandshake(raw, bytes));
    server.on('handshakeEnd', (raw: Socket) => this.#remove(raw));
    // Node's own also closes connections whose answer has ended and is still being sent.
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

  /** Notes that the head of a request has arrived. */
  begin(message: IncomingMessage): void {
    const { socket } = message;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.isBusy = true;
    connection.unplaced.endHead(message);
    this.#idleOf(connection).delete(socket);
  }

  /** Notes that a request was dropped, after which none of its connection is served any more. */
  drop(socket: Socket): void {
    this.#open.get(socket)?.unplaced.dropHead();
  }

  /** Notes that all its requests have been answered. `isKnown`: a signature on it has been verified. */
  end(socket: Socket, isKnown: boolean): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.isBusy = false;
    connection.isKnown ||= isKnown;
    this.#idleOf(connection).add(socket);
    this.#recount(socket, connection);
  }

  #add(socket: Socket, maxHeaderBytes: number): void {
    const connection: Connection = {
      isKnown: false,
      isBusy: false,
      isLeaving: false,
      unplaced: new UnplacedMemory(socket, maxHeaderBytes),
      unplacedBytes: 0,
    };
    this.#open.set(socket, connection);
    this.#idleStrangers.add(socket);
    survive(socket);
    const records = new RecordDebt(socket);
    watchParser(socket, {
      onHeadBegins: () => connection.unplaced.beginHead(),
      onReadParsed: () => {
        connection.unplaced.endRead();
        if (!socket.destroyed && records.isTooMuch()) this.#close(socket, 'tiny_records');
        else this.#recount(socket, connection);
      },
    });
    socket.once('close', () => this.#remove(socket));
    if (this.#open.size > this.#max * nearlyFull) this.#dropOldestBut(socket);
  }

  #remove(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    this.#open.delete(socket);
    this.#idleOf(connection).delete(socket);
    this.#setUnplaced(socket, connection, 0);
  }

  #countHandshake(raw: Socket, bytes: number): void {
    const connection = this.#open.get(raw);
    if (connection === undefined || raw.destroyed) return;
    this.#setUnplaced(raw, connection, bytes);
    this.#dropUnplaced();
  }

  #dropOldestBut(newest: Socket): void {
    const oldest = this.#givesWay === 'any' ? this.#oldestBut(newest) : this.#oldestIdleBut(newest);
    if (oldest !== undefined) this.#close(oldest, 'connections');
  }

  #oldestIdleBut(newest: Socket): Socket | undefined {
    const [first, second] = this.#idleStrangers;
    const [known] = this.#idleKnown;
    const stranger = first === newest ? second : first;
    return this.#idleKnown.size > this.#max * shareOfKnown ? known : (stranger ?? known);
  }

  // Regardless of what it does: a newcomer, whose request has not been read yet, would look idle beside connections that repeat
  // requests.
  #oldestBut(newest: Socket): Socket | undefined {
    return [...this.#open.keys()].find((socket) => socket !== newest && !socket.destroyed);
  }

  #close(socket: Socket, limit: 'connections' | 'unfinished_heads' | 'tiny_records'): void {
    this.#idleStrangers.delete(socket);
    this.#idleKnown.delete(socket);
    resetConnection(socket);
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
    const bytes = connection.unplaced.estimate(connection.isBusy);
    // The usual case, after each read.
    if (bytes === 0 && connection.unplacedBytes === 0) return;
    this.#setUnplaced(socket, connection, bytes);
    this.#dropUnplaced();
  }

  #dropUnplaced(): void {
    while (this.#unplacedBytes > maxUnplacedBytes) {
      const [oldest] = this.#withUnplaced.size > 0 ? this.#withUnplaced : this.#withSmall;
      if (oldest === undefined) return;
      this.#close(oldest, 'unfinished_heads');
    }
  }

  /**
   * Closes all connections with memory outside places, for another use of that memory. False when it is little: ordinary heads are on
   * their way at any time.
   */
  closeUnplaced(): boolean {
    if (this.#unplacedBytes < muchUnplacedBytes) return false;
    for (const socket of [...this.#withUnplaced, ...this.#withSmall]) this.#close(socket, 'unfinished_heads');
    return true;
  }

  #setUnplaced(socket: Socket, connection: Connection, bytes: number): void {
    this.#unplacedBytes += bytes - connection.unplacedBytes;
    connection.unplacedBytes = bytes;
    const isSmall = connection.unplaced.isSmall(bytes);
    setMember(this.#withUnplaced, socket, bytes > 0 && !isSmall);
    setMember(this.#withSmall, socket, bytes > 0 && isSmall);
  }
}

function setMember<T>(set: Set<T>, one: T, isMember: boolean): void {
  if (isMember) set.add(one);
  else set.delete(one);
}
