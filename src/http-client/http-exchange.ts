import { AnswerParser, type AnswerSink } from './answer-parser.ts';
import type { HttpFault } from './http-fault.ts';
import { type HttpRequest, writeRequestHead } from './request-head.ts';

/**
 * Told what becomes of one request: a head, data and an end, or a fault at any time, after which comes nothing more.
 * None of it may throw.
 */
export interface AnswerHandler extends AnswerSink {
  /** More of the body can be written. */
  onDrain(): void;
  /**
   * The answer is whole. When the body of the request is not, it may still be written, or the exchange aborted; until
   * then a fault can follow.
   */
  onEnd(): void;
  onFault(fault: HttpFault): void;
}

/** What an exchange needs of the connection that carries it. */
export interface Carrier {
  write(piece: Buffer): boolean;
  setPaused(isPaused: boolean): void;
  /** Closes the connection; by a reset while the request is not whole. */
  abandon(): void;
}

/**
 * One request and its answer. The handle stays safe to use when the exchange is over: it has no effect then, on a
 * connection that carries another one by now.
 */
export class HttpExchange implements AnswerSink {
  readonly head: string;
  readonly body: Buffer | undefined;
  readonly parser: AnswerParser;
  readonly handler: AnswerHandler;
  #carrier: Carrier | undefined;
  #bodyLeft: number;
  #isPaused = false;
  /** True once the head was given to the connection: the peer may have seen it. */
  isSent = false;
  /** True once a byte of an answer has arrived. */
  isAnswered = false;
  /** True once writing has failed, or the peer has ended before the body did: what is still sent goes nowhere. */
  isBroken = false;
  /** True once body was sent after the head of the answer had come: what else comes may belong to this exchange. */
  isAnsweredEarly = false;
  #isEndTold = false;

  /** @throws TypeError for a request that cannot be written */
  constructor(request: HttpRequest, handler: AnswerHandler) {
    const { body } = request;
    this.head = writeRequestHead(request);
    this.body = typeof body === 'number' ? undefined : body;
    this.#bodyLeft = typeof body === 'number' ? body : 0;
    this.parser = new AnswerParser(request.method === 'HEAD', this);
    this.handler = handler;
  }

  /** True once all of the body was given to the connection. */
  get isBodyComplete(): boolean {
    return this.#bodyLeft === 0;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** True until answer and body are whole, or will never be. */
  get isOpen(): boolean {
    return this.#carrier !== undefined;
  }

  /** Called by the connection: with itself when it takes the exchange, with nothing when it lets go of it. */
  carryOn(carrier: Carrier | undefined): void {
    this.#carrier = carrier;
  }

  /**
   * Sends the next bytes of the body. False asks to wait for {@link AnswerHandler.onDrain}.
   * @throws RangeError for more than was announced
   */
  write(piece: Buffer): boolean {
    if (this.#carrier === undefined) return true;
    if (piece.length > this.#bodyLeft) {
      this.abort();
      throw new RangeError('the body is longer than announced');
    }
    if (this.parser.hasHead) this.isAnsweredEarly = true;
    this.#bodyLeft -= piece.length;
    return this.#carrier.write(piece);
  }

  /** Stops reading the answer: what has been read already may still come. */
  pause(): void {
    this.#setPaused(true);
  }

  resume(): void {
    this.#setPaused(false);
  }

  /** Ends the exchange and its connection; by a reset while the request is not whole, so that the peer never takes it for one. */
  abort(): void {
    this.#carrier?.abandon();
  }

  onHead(head: Parameters<AnswerSink['onHead']>[0]): void {
    if (this.isOpen) this.handler.onHead(head);
  }

  onData(data: Buffer): void {
    if (this.isOpen) this.handler.onData(data);
  }

  /** Tells the handler, once, that the answer is whole. */
  onEnd(): void {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.handler.onEnd();
  }

  #setPaused(isPaused: boolean): void {
    if (this.#carrier === undefined || this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#carrier.setPaused(isPaused);
  }
}
