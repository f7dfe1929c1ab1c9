import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { stopParsing } from './stop-parsing.ts';

/** One request and its response. */
export interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Sends `100 Continue` if the client waits for it. */
  readonly invite: () => void;
  /** True for an `Expect` header other than `100-continue`. */
  readonly isExpectationUnknown: boolean;
}

/** Events of a queue. */
export interface QueueEvents {
  /** All requests have been answered. */
  readonly onIdle: () => void;
  /** Too many requests were pipelined. */
  readonly onOverflow: () => void;
}

/**
 * Most memory of waiting requests, in bytes: some 60 requests. Needed besides pausing, because a single read from the
 * socket can bring thousands.
 */
const maxWaitingBytes = 131_072;
/** The same for all connections together, beside the first that waits on each. */
const maxTotalBytes = 8 * 1024 * 1024;
/** The socket is paused from this many waiting requests, or bytes of them. Below it, a disconnect is still noticed. */
const pausedFrom = 8;
const pausedFromBytes = 32_768;

/** Memory of the waiting requests of all connections of a listener, in bytes. */
export interface WaitingTotal {
  bytes: number;
}

/** The first request that waits on a connection may take this many bytes, whatever the others take. */
const bytesOfFirst = 24_576;

/**
 * Memory of a request without headers, and of each name and value besides its characters: Node keeps headers as they came,
 * and as an object (Node 20, measured 2026-11).
 */
const bytesOfRequest = 2_048;
const bytesOfString = 64;

function bytesHeld({ message: { url = '', rawHeaders } }: Exchange): number {
  let bytes = bytesOfRequest + url.length;
  for (const [index, text] of rawHeaders.entries()) {
    bytes += bytesOfString + (index % 2 === 0 ? 2 * text.length : text.length);
  }
  return bytes;
}

function hasUpgrade({ rawHeaders }: IncomingMessage): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 7 && name.toLowerCase() === 'upgrade') return true;
  }
  return false;
}

/**
 * The requests of one connection, carried out one at a time and in order: a store that receives a pipelined `PUT k` and
 * `DELETE k` together may execute them in either order. Once some requests wait, the socket is paused, so a client that
 * pipelines without reading cannot fill the memory.
 */
export class ExchangeQueue {
  readonly #socket: Socket;
  readonly #serve: (exchange: Exchange) => Promise<void>;
  readonly #events: QueueEvents;
  readonly #total: WaitingTotal;
  readonly #waiting: Exchange[] = [];
  #waitingBytes = 0;
  #current: Exchange | undefined;
  /** Later requests are dropped, and the connection ends after those that wait. */
  #isCut = false;
  #isPaused = false;

  /** `serve` must not reject. */
  constructor(
    socket: Socket,
    serve: (exchange: Exchange) => Promise<void>,
    events: QueueEvents,
    total: WaitingTotal,
  ) {
    this.#socket = socket;
    this.#total = total;
    this.#serve = serve;
    this.#events = events;
  }

  /** The exchange in progress. */
  get current(): Exchange | undefined {
    return this.#current;
  }

  /**
   * Ends the connection after the requests that have arrived whole, because nothing further can be parsed. Returns the
   * exchange in progress if the rest of its body is lost.
   */
  cut(): Exchange | undefined {
    this.#isCut = true;
    const last = this.#waiting.at(-1);
    // Its bytes stay counted: Node holds it until the connection closes.
    if (last?.message.complete === false) this.#waiting.pop();
    return this.#current?.message.complete === false ? this.#current : undefined;
  }

  /** Adds a request, which is carried out when those before it have been answered. False when it is dropped. */
  push(exchange: Exchange): boolean {
    // After a failed write Node destroys the socket in the middle of a read, and the responses to what is still parsed never
    // close. A request that was served then would keep its place.
    // And a socket that was ended stays open until the client has read everything.
    if (this.#isCut || this.#isClosing || this.#socket.destroyed || this.#socket.writableEnded) {
      stopParsing(this.#socket);
      return false;
    }
    // After an Upgrade header Node's parser drops the rest of its input, then may start again in the middle of a body.
    if (hasUpgrade(exchange.message)) {
      this.#isCut = true;
      exchange.response.shouldKeepAlive = false;
    }
    if (this.#current === undefined) {
      this.#start(exchange);
      return true;
    }
    const bytes = bytesHeld(exchange);
    const isSmallFirst = this.#waiting.length === 0 && bytes <= bytesOfFirst;
    if (!isSmallFirst && !this.#hasRoomFor(bytes)) {
      this.#isCut = true;
      stopParsing(this.#socket);
      this.#events.onOverflow();
      return false;
    }
    this.#waiting.push(exchange);
    this.#setWaitingBytes(this.#waitingBytes + bytes);
    // Later, because the parser resumes the socket after each message in its current input.
    if (this.#isFull && !this.#isPaused) process.nextTick(() => this.#pause());
    return true;
  }

  /** True when the connection closes after the current answer, of which the client knows. */
  get #isClosing(): boolean {
    const response = this.#current?.response;
    return response?.headersSent === true && !response.shouldKeepAlive;
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#waitingBytes + bytes <= maxWaitingBytes && this.#total.bytes + bytes <= maxTotalBytes;
  }

  #setWaitingBytes(bytes: number): void {
    this.#total.bytes += bytes - this.#waitingBytes;
    this.#waitingBytes = bytes;
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
      this.#setWaitingBytes(0);
      // The client sees the connection close and repeats the requests that were dropped.
      if (this.#isCut) this.#socket.destroySoon();
      return;
    }
    this.#setWaitingBytes(this.#waitingBytes - bytesHeld(exchange));
    if (this.#waiting.length === 0 && !(this.#isCut && exchange.message.complete)) this.#resume();
    this.#start(exchange);
  }
}
