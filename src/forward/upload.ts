import type { AnswerHead } from '../http-client/answer-head.ts';
import type { AnswerHandler, HttpExchange } from '../http-client/http-exchange.ts';
import { HttpFault } from '../http-client/http-fault.ts';
import type { BodyObserver, StreamedBody } from './streamed-body.ts';

/** Told what becomes of an upload: an answer, or what was wrong on either side. */
export interface UploadHandler extends AnswerHandler {
  /** The client's body was wrong. */
  onBodyFault(fault: Error): void;
}

/**
 * Stands between the connection and the relay while a body is streamed, and decides about an answer that comes before
 * the body has passed its checks. An error is the answer, and nothing more is sent: the store has refused, and may
 * reset the connection. A success is held back: it is none while the body may still turn out to be wrong.
 */
export class Upload implements AnswerHandler, BodyObserver {
  readonly #body: StreamedBody;
  readonly #relay: UploadHandler;
  #exchange: HttpExchange | undefined;
  #isSending = true;
  #heldHead: AnswerHead | undefined;
  #heldData: Buffer[] = [];
  #isEndHeld = false;

  constructor(body: StreamedBody, relay: UploadHandler) {
    this.#body = body;
    this.#relay = relay;
  }

  /** Begins to send. */
  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
    this.#body.sendTo(exchange, this);
  }

  onDrain(): void {
    this.#body.goOn();
  }

  onHead(head: AnswerHead): void {
    if (this.#isSending && head.status < 300) {
      this.#heldHead = head;
      this.#exchange?.pause();
      return;
    }
    this.#stopSending();
    this.#relay.onHead(head);
  }

  onData(data: Buffer): void {
    // No more than one read from the connection: it is paused.
    if (this.#heldHead !== undefined) this.#heldData.push(data);
    else this.#relay.onData(data);
  }

  onEnd(): void {
    if (this.#heldHead !== undefined) {
      this.#isEndHeld = true;
      // Nothing more can come but the end of the connection, which must not be missed.
      this.#exchange?.resume();
      return;
    }
    // Has no effect on a connection whose request was whole.
    this.#exchange?.abort();
    this.#relay.onEnd();
  }

  onFault(fault: HttpFault): void {
    this.#stopSending();
    this.#relay.onFault(fault);
  }

  onBodySent(): void {
    this.#isSending = false;
    const head = this.#heldHead;
    if (head === undefined) return;
    this.#heldHead = undefined;
    if (this.#exchange?.isBroken === true) {
      this.#exchange.abort();
      this.#relay.onFault(new HttpFault('reset', 'the connection ended after an early success'));
      return;
    }
    this.#relay.onHead(head);
    for (const data of this.#heldData.splice(0)) this.#relay.onData(data);
    this.#exchange?.resume();
    if (this.#isEndHeld) this.#relay.onEnd();
  }

  onBodyFault(fault: Error): void {
    this.#stopSending();
    this.#exchange?.abort();
    this.#relay.onBodyFault(fault);
  }

  #stopSending(): void {
    this.#isSending = false;
    this.#body.stop();
  }
}
