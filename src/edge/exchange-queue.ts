import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { stopParsing } from './stop-parsing.ts';

/** One request with the answer that is due to it. */
export interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Tells a client that waits with `Expect: 100-continue` to send its body. */
  readonly invite: () => void;
  /** An `Expect` header that this server cannot meet. */
  readonly isExpectationUnknown: boolean;
}

/** What the owner of a queue is told. */
export interface QueueEvents {
  /** Nothing is left to do. */
  readonly onIdle: () => void;
  /** Too many requests came ahead of their turn. */
  readonly onOverflow: () => void;
}

/**
 * What waiting requests may take in memory, in bytes: some 60 of them. One read from the socket can bring more, and the
 * reading stops too late for it.
 */
const maxWaitingBytes = 131_072;
/** Waiting requests, or their bytes, from which on nothing further is read. With fewer, a client that goes away is noticed. */
const pausedFrom = 8;
const pausedFromBytes = 32_768;

/** What Node keeps of a request without headers, and of each header beyond its characters (Node 20, measured 2026-11). */
const bytesOfRequest = 2_048;
const bytesOfString = 32;

function bytesHeld({ message: { url = '', rawHeaders } }: Exchange): number {
  let bytes = bytesOfRequest + url.length;
  for (const text of rawHeaders) bytes += bytesOfString + text.length;
  return bytes;
}

/**
 * The requests of one connection, carried out one after the other in the order in which they came: a store that got
 * `PUT k` and `DELETE k` at the same time would carry them out in any order. While one is answered nothing further is
 * read, so that a client which pipelines without reading costs no more than one which does not.
 */
export class ExchangeQueue {
  readonly #socket: Socket;
  readonly #serve: (exchange: Exchange) => Promise<void>;
  readonly #events: QueueEvents;
  readonly #waiting: Exchange[] = [];
  #waitingBytes = 0;
  #current: Exchange | undefined;
  /** What came too early was let go; the connection ends after what is waiting. */
  #isCut = false;
  #isPaused = false;

  /** `serve` must not reject. */
  constructor(socket: Socket, serve: (exchange: Exchange) => Promise<void>, events: QueueEvents) {
    this.#socket = socket;
    this.#serve = serve;
    this.#events = events;
  }

  /** The exchange that is being carried out. */
  get current(): Exchange | undefined {
    return this.#current;
  }

  /**
   * Nothing further of the connection can be read. What has been read is still answered, and the connection ends. Returns
   * the exchange whose body will not come.
   */
  cut(): Exchange | undefined {
    this.#isCut = true;
    const last = this.#waiting.at(-1);
    if (last?.message.complete === false) {
      this.#waiting.pop();
      this.#waitingBytes -= bytesHeld(last);
    }
    return this.#current?.message.complete === false ? this.#current : undefined;
  }

  /** Takes a request. It is carried out at once, or when those before it have been answered. */
  push(exchange: Exchange): void {
    if (this.#isCut) {
      stopParsing(this.#socket);
      return;
    }
    // The parser takes what follows for another protocol, drops it, and would begin anew in the middle of a body.
    if (exchange.message.headers.upgrade !== undefined) {
      this.#isCut = true;
      exchange.response.shouldKeepAlive = false;
    }
    if (this.#current === undefined) {
      this.#start(exchange);
      return;
    }
    const bytes = bytesHeld(exchange);
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > maxWaitingBytes) {
      this.#isCut = true;
      stopParsing(this.#socket);
      this.#events.onOverflow();
      return;
    }
    this.#waiting.push(exchange);
    this.#waitingBytes += bytes;
    // Not now: the parser resumes the socket at the end of each message it finds in the bytes that it has.
    if (this.#isFull && !this.#isPaused) process.nextTick(() => this.#pause());
  }

  get #isFull(): boolean {
    return this.#waiting.length >= pausedFrom || this.#waitingBytes >= pausedFromBytes;
  }

  #pause(): void {
    if (!this.#isFull) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  #start(exchange: Exchange): void {
    this.#current = exchange;
    exchange.response.once('close', () => this.#next());
    void this.#serve(exchange).then(() => {
      const isLast = this.#current === undefined || this.#current === exchange;
      if (isLast && this.#waiting.length === 0) this.#events.onIdle();
    });
  }

  #next(): void {
    this.#current = undefined;
    const isOver = this.#socket.destroyed || this.#socket.writableEnded;
    const exchange = isOver ? undefined : this.#waiting.shift();
    if (exchange === undefined) {
      this.#waiting.length = 0;
      this.#waitingBytes = 0;
      // What else came was let go: the client finds its connection closed and sends that again.
      if (this.#isCut) this.#socket.destroySoon();
      return;
    }
    this.#waitingBytes -= bytesHeld(exchange);
    if (this.#waiting.length === 0 && !(this.#isCut && exchange.message.complete)) this.#resume();
    this.#start(exchange);
  }
}
