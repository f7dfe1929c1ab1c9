import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { abandon } from '../core/lingering.ts';
import type { AwaitedTurn } from '../core/turns.ts';
import { GatheringMessage } from './gathering-message.ts';
import { hasUpgrade } from './has-upgrade.ts';
import { PausableReading } from './pausable-reading.ts';
import type { RequestTurns } from './request-turns.ts';
import { stopParsing } from './stop-parsing.ts';
import { headBytes, WaitingBytes, type WaitingTotal } from './waiting-bytes.ts';

/** One request and its response. */
export interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Sends `100 Continue` if the client waits for it. */
  readonly invite: () => void;
  /** True for an `Expect` header other than `100-continue`. */
  readonly isExpectationUnknown: boolean;
  /** When its head had arrived, by the monotonic clock, in milliseconds. */
  readonly arrivedAt: number;
}

/** The turns of the event loop in which requests begin. */
export type QueueTurns = Pick<RequestTurns, 'ask' | 'givesWay' | 'mayBegin'>;

/** Events of a queue. */
export interface QueueEvents {
  /** All requests have been answered. */
  readonly onIdle: () => void;
  /** Too many requests were pipelined. */
  readonly onOverflow: () => void;
  /** A stranger's request found no room to wait for its turn, and its connection was closed. */
  readonly onGivenWay: () => void;
}

/** The socket is paused from this many waiting requests. Below it, a disconnect is still noticed. */
const pausedFrom = 8;

/** Ends the counting of a body whose turn has come. Returns what has been counted. */
function takeOver(message: IncomingMessage): number {
  if (!(message instanceof GatheringMessage)) return 0;
  message.onPiece = undefined;
  return message.bodyBytes;
}

/**
 * The requests of one connection, carried out one at a time and in order: a store that receives a pipelined `PUT k` and
 * `DELETE k` together may execute them in either order. Once some requests wait, or much of the body of one, the socket is
 * paused until their turn, so a client that pipelines without reading cannot fill the memory.
 */
export class ExchangeQueue {
  readonly #socket: Socket;
  readonly #serve: (exchange: Exchange) => Promise<void>;
  readonly #events: QueueEvents;
  readonly #turns: QueueTurns;
  readonly #waiting: Exchange[] = [];
  readonly #bytes: WaitingBytes;
  readonly #reading: PausableReading;
  #current: Exchange | undefined;
  /** The turn in which the first that waits begins, while there is no current one. */
  #turn: AwaitedTurn | undefined;
  /** Later requests are dropped, and the connection ends after those that wait. */
  #isCut = false;
  #isEndWatched = false;

  /** `serve` must not reject. */
  constructor(
    socket: Socket,
    serve: (exchange: Exchange) => Promise<void>,
    events: QueueEvents,
    { turns, total }: { readonly turns: QueueTurns; readonly total: WaitingTotal },
  ) {
    this.#socket = socket;
    this.#bytes = new WaitingBytes(total);
    this.#reading = new PausableReading(socket);
    this.#serve = serve;
    this.#turns = turns;
    this.#events = events;
  }

  /** True while a request is in progress, or waits for its turn. */
  get isBusy(): boolean {
    return this.#current !== undefined || this.#turn !== undefined;
  }

  /**
   * Ends the connection after the requests that have arrived whole, because nothing further can be parsed. Returns the
   * exchange in progress, or the next to be, if the rest of its body is lost.
   */
  cut(): Exchange | undefined {
    this.#isCut = true;
    const first = this.#current ?? this.#waiting[0];
    const last = this.#waiting.at(-1);
    // Its bytes stay counted: Node holds it until the connection closes.
    if (last !== first && last?.message.complete === false) this.#waiting.pop();
    return first?.message.complete === false ? first : undefined;
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
    if (!this.isBusy && this.#turns.mayBegin()) {
      this.#start(exchange);
      return true;
    }
    const bytes = headBytes(exchange.message);
    if (!this.isBusy) {
      if (!this.#bytes.hasRoomForTurn(bytes)) {
        if (this.#turns.givesWay) {
          this.#isCut = true;
          this.#socket.destroy();
          this.#events.onGivenWay();
          return false;
        }
        this.#start(exchange);
        return true;
      }
      this.#awaitTurn();
    }
    if (!this.#makesRoomFor(bytes, 0)) {
      this.#overflow();
      return false;
    }
    this.#waiting.push(exchange);
    const { message } = exchange;
    if (message instanceof GatheringMessage) message.onPiece = (length) => this.#takeBody(message, length);
    this.#count(bytes);
    return true;
  }

  /** Counts a piece of a body that comes ahead of its turn. */
  #takeBody(message: GatheringMessage, length: number): void {
    // Node goes on parsing what a read has brought after the socket was destroyed. The end of the connection clears what was counted.
    if (this.#isOver || this.#waiting.at(-1)?.message !== message) return;
    if (this.#turn !== undefined && this.#waiting.length === 1) {
      const hasRoom = this.#bytes.hasRoomForTurn(length);
      // Before it begins, for it then gives back the bytes of its whole body.
      this.#count(length);
      if (!hasRoom) this.#stopAwaiting();
      return;
    }
    if (this.#makesRoomFor(length, 1)) {
      this.#count(length);
      return;
    }
    this.#waiting.pop();
    message.onPiece = undefined;
    // Its head stays counted: Node holds it until the connection closes.
    this.#bytes.add(length - message.bodyBytes);
    abandon(message);
    this.#reading.pause();
    this.#overflow();
  }

  /**
   * True when so many bytes more may wait, behind the request in progress or the next to be. If not, the next begins without its
   * turn, which makes room.
   * @param ahead how many requests wait behind it when theirs are the first bytes
   */
  #makesRoomFor(bytes: number, ahead: number): boolean {
    const behind = this.#waiting.length - (this.#turn === undefined ? 0 : 1);
    if (this.#bytes.hasRoomFor(bytes, behind <= ahead)) return true;
    if (this.#turn === undefined) return false;
    this.#stopAwaiting();
    return this.#bytes.hasRoomFor(bytes, this.#waiting.length <= ahead);
  }

  #overflow(): void {
    this.#isCut = true;
    stopParsing(this.#socket);
    this.#events.onOverflow();
  }

  /** True when the connection closes after the current answer, of which the client knows. */
  get #isClosing(): boolean {
    const response = this.#current?.response;
    return response?.headersSent === true && !response.shouldKeepAlive;
  }

  #count(bytes: number): void {
    this.#bytes.add(bytes);
    if (this.#waiting.length >= pausedFrom || this.#bytes.isMuch) this.#reading.pause();
  }

  #start(exchange: Exchange): void {
    this.#current = exchange;
    exchange.response.once('close', () => this.#next());
    void this.#serve(exchange).then(() => {
      const isLast = this.#current === undefined || this.#current === exchange;
      if (isLast && this.#waiting.length === 0) this.#events.onIdle();
    });
  }

  #awaitTurn(): void {
    const turn = this.#turns.ask();
    this.#turn = turn;
    void turn.comes.then(() => {
      if (this.#turn !== turn) return;
      this.#turn = undefined;
      this.#startNext();
    });
    if (this.#isEndWatched) return;
    this.#isEndWatched = true;
    this.#socket.once('close', () => this.#stopAwaiting());
  }

  /** Begins what waits for its turn at once, or forgets it when the connection is over. */
  #stopAwaiting(): void {
    if (this.#turn === undefined) return;
    this.#turn.abandon();
    this.#turn = undefined;
    this.#startNext();
  }

  get #isOver(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  #next(): void {
    this.#current = undefined;
    if (this.#waiting.length === 0 || this.#isOver || this.#turns.mayBegin()) this.#startNext();
    else this.#awaitTurn();
  }

  #startNext(): void {
    const exchange = this.#isOver ? undefined : this.#waiting.shift();
    if (exchange === undefined) {
      this.#waiting.length = 0;
      this.#bytes.clear();
      // The client sees the connection close and repeats the requests that were dropped.
      if (this.#isCut) this.#socket.destroySoon();
      return;
    }
    this.#bytes.add(-headBytes(exchange.message) - takeOver(exchange.message));
    if (this.#waiting.length === 0 && !(this.#isCut && exchange.message.complete)) this.#reading.resume();
    this.#start(exchange);
  }
}
