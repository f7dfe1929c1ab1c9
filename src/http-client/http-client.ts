/*
 * This folder is an HTTP/1.1 client for one origin. It owns the connections, each of which carries one exchange at a time and
 * is kept open for reuse.
 * In: requests. Out: answers, passed piece by piece to their handlers, with back-pressure in both directions.
 * It never follows a redirect, decompresses, pipelines, repeats a request, or guesses where an answer ends.
 * An ambiguous answer is a fault, and closes the connection.
 */

import { performance } from 'node:perf_hooks';
import { NameLookups } from '../core/name-lookups.ts';
import { type Origin, originOf, type TlsCredentials } from './connect.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { type AnswerHandler, HttpExchange } from './http-exchange.ts';
import type { HttpTimeouts } from './progress.ts';
import type { HttpRequest } from './request-head.ts';

const sweepMs = 250;
/** A name whose look-up has failed after a long time is not looked up again at once. */
const longestNameRestMs = 1_000;

/** The client of one origin, with its connections. */
export class HttpClient implements ConnectionOwner {
  #origin: Origin;
  readonly #timeouts: HttpTimeouts;
  readonly #connections = new Set<Connection>();
  /** The one used last is taken first, so that surplus connections time out. */
  readonly #idle: Connection[] = [];
  #inFlight = 0;
  /** Connections whose request is sent at the end of this turn of the event loop. */
  #waiting: Connection[] = [];
  #sweep: NodeJS.Timeout | undefined;

  /** @param origin scheme, host and port, for example `http://127.0.0.1:9001` */
  constructor(origin: string, timeouts: HttpTimeouts, tls: TlsCredentials = {}) {
    // One look-up for all connections that are being opened. Those that are given up would leave theirs to the system's resolver,
    // two at a time: preflights of strangers then held up everybody's requests.
    const { lookup } = new NameLookups(timeouts.connectMs, longestNameRestMs);
    this.#origin = { ...originOf(origin), lookup, tls };
    this.#timeouts = timeouts;
  }

  /** Uses other certificates for new connections. */
  replaceTls(tls: TlsCredentials): void {
    this.#origin = { ...this.#origin, tls };
  }

  /**
   * Starts one exchange. The answer, or the fault, goes to `handler`, never before this method has returned.
   * @throws TypeError for a malformed request
   */
  request(request: HttpRequest, handler: AnswerHandler): HttpExchange {
    const exchange = new HttpExchange(request, handler, this.#origin.isSecure);
    const connection = (request.isFresh === true ? undefined : this.#idle.pop()) ?? this.#open();
    connection.take(exchange);
    this.#inFlight += 1;
    // Requests that are sent together wake the peer once. A single request gains nothing by waiting.
    if (this.#inFlight === 1 || typeof request.body === 'number') connection.send();
    else this.#sendLater(connection);
    return exchange;
  }

  /** Closes every connection. Exchanges in flight fail with `reset`. */
  destroy(): void {
    for (const connection of [...this.#connections]) connection.close();
  }

  onExchangeOver(): void {
    this.#inFlight -= 1;
  }

  onIdle(connection: Connection): void {
    this.#idle.push(connection);
  }

  onClosed(connection: Connection): void {
    this.#connections.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (this.#connections.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #open(): Connection {
    const connection = new Connection(this.#origin, this.#timeouts, this);
    this.#connections.add(connection);
    // One timer for all connections. One for each would be restarted with every read and write.
    this.#sweep ??= setInterval(() => this.#checkAll(), sweepMs).unref();
    return connection;
  }

  #checkAll(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.check(nowMs);
  }

  #sendLater(connection: Connection): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#sendWaiting());
    this.#waiting.push(connection);
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) connection.send();
  }
}
