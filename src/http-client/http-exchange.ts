import { AnswerParser, type AnswerSink } from './answer-parser.ts';
import { HttpFault } from './http-fault.ts';
import { type HttpRequest, writeRequestHead } from './request-head.ts';

/**
 * Receives the answer to one request: a head, data and an end. A fault can come at any time, and is the last call.
 * No method may throw.
 */
export interface AnswerHandler extends AnswerSink {
  /** True while bytes of earlier calls of `onData` are in use. They may be overwritten once it is false. */
  readonly isHoldingData: boolean;
  /** More of the body can be written. */
  onDrain(): void;
  /**
   * The answer is complete. While the request's body is not, it can still be written, or the exchange aborted, and a fault
   * can follow.
   */
  onEnd(): void;
  onFault(fault: HttpFault): void;
  /** The answer to a request that outlasts timeouts takes too long. Called again and again until the exchange is over. */
  onOverdue?(fault: HttpFault): void;
}

/** What an exchange needs from the connection that carries it. */
export interface Carrier {
  write(piece: Buffer): boolean;
  setPaused(isPaused: boolean): void;
  /** Closes the connection; by a reset when the request is incomplete. */
  abandon(): void;
}

const requestTimeout = 408;
/** Not standard; of nginx and MinIO. */
const clientClosed = 499;

/**
 * One request and its answer. After the end of the exchange its methods have no effect, because the connection can already
 * carry another one.
 */
export class HttpExchange implements AnswerSink {
  readonly head: string;
  readonly body: Buffer | undefined;
  readonly parser: AnswerParser;
  #handler: AnswerHandler;
  readonly outlastsTimeouts: boolean;
  #carrier: Carrier | undefined;
  #bodyLeft: number;
  #isPaused = false;
  /** True once the head was handed to the connection: the peer may have seen it. */
  isSent = false;
  /** True once a byte of an answer has arrived. */
  isAnswered = false;
  /** True once a write has failed, or the peer has ended before the body was sent. What is still written is lost. */
  isBroken = false;
  /** True once body was sent after the head of the answer: the peer may send a second answer to this request. */
  isAnsweredEarly = false;
  /**
   * True once the answer shows that the peer may have given up the connection: it has refused an upload, or waited too long
   * for one. MinIO then answers 499 to whatever comes next (observed on 2026-11-29).
   */
  isGivenUp = false;
  readonly #isStreamed: boolean;
  #isEndTold = false;

  /**
   * @param isSecure true over TLS
   * @throws TypeError for a malformed request
   */
  constructor(request: HttpRequest, handler: AnswerHandler, isSecure: boolean) {
    const { body } = request;
    this.head = writeRequestHead(request);
    this.body = typeof body === 'number' ? undefined : body;
    this.#isStreamed = typeof body === 'number';
    this.outlastsTimeouts = request.outlastsTimeouts === true;
    this.#bodyLeft = typeof body === 'number' ? body : 0;
    this.parser = new AnswerParser(request.method === 'HEAD', this, isSecure);
    this.#handler = handler;
  }

  get handler(): AnswerHandler {
    return this.#handler;
  }

  /** Passes what follows to another handler. The one before, and all that it holds, is let go of. */
  handOver(handler: AnswerHandler): void {
    this.#handler = handler;
  }

  /** True once the whole body was handed to the connection. */
  get isBodyComplete(): boolean {
    return this.#bodyLeft === 0;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** True until answer and body are complete, or a fault has ended the exchange. */
  get isOpen(): boolean {
    return this.#carrier !== undefined;
  }

  /** Called by the connection: with itself when it takes the exchange, with `undefined` when it releases it. */
  carryOn(carrier: Carrier | undefined): void {
    this.#carrier = carrier;
  }

  /**
   * Sends the next bytes of the body. False asks to wait for {@link AnswerHandler.onDrain}.
   * @throws RangeError for more bytes than announced
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

  /** Stops reading the answer. Bytes that have been read already may still come. */
  pause(): void {
    this.#setPaused(true);
  }

  resume(): void {
    this.#setPaused(false);
  }

  /** Ends the exchange and its connection; by a reset when the request is incomplete, so that the peer can tell. */
  abort(): void {
    this.#carrier?.abandon();
  }

  onHead(head: Parameters<AnswerSink['onHead']>[0]): void {
    const { status } = head;
    if (status === clientClosed) throw new HttpFault('reset', 'the peer takes the connection for closed');
    this.isGivenUp = status === requestTimeout || (status >= 400 && this.#isStreamed);
    if (this.isOpen) this.#handler.onHead(head);
  }

  onData(data: Buffer): void {
    if (this.isOpen) this.#handler.onData(data);
  }

  /** Tells the handler, once, that the answer is complete. */
  onEnd(): void {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.#handler.onEnd();
  }

  #setPaused(isPaused: boolean): void {
    if (this.#carrier === undefined || this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#carrier.setPaused(isPaused);
  }
}
