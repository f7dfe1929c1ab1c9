import type { AnswerHead } from '../http-client/answer-head.ts';
import type { AnswerHandler, HttpExchange } from '../http-client/http-exchange.ts';
import { HttpFault } from '../http-client/http-fault.ts';
import type { BodyObserver, StreamedBody } from './streamed-body.ts';

/** More than the stores answer to an upload. While less is held, the end of the connection is noticed. */
const maxHeldBytes = 8192;

/** Notified of the answer to an upload, or of a fault on either side. */
export interface UploadHandler extends AnswerHandler {
  /** The client's body was invalid, or ended early. */
  onBodyFault(fault: Error): void;
}

/**
 * Handles an answer that arrives before the body has been sent. An error is relayed at once, and the rest of the body is
 * not sent: the store has refused the upload, and may reset the connection. A success is held back until the body has been
 * verified, because the body may still turn out to be invalid.
 */
export class Upload implements AnswerHandler, BodyObserver {
  readonly #body: StreamedBody;
  readonly #relay: UploadHandler;
  #exchange: HttpExchange | undefined;
  #isSending = true;
  #heldHead: AnswerHead | undefined;
  #heldData: Buffer[] = [];
  #heldBytes = 0;
  #isEndHeld = false;

  constructor(body: StreamedBody, relay: UploadHandler) {
    this.#body = body;
    this.#relay = relay;
  }

  /** Starts to send. */
  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
    this.#body.sendTo(exchange, this);
  }

  get isHoldingData(): boolean {
    return this.#heldData.length > 0 || this.#relay.isHoldingData;
  }

  onDrain(): void {
    this.#body.goOn();
  }

  onHead(head: AnswerHead): void {
    if (this.#isSending && head.status < 300) {
      this.#heldHead = head;
      return;
    }
    this.#stopSending();
    this.#relay.onHead(head);
  }

  onData(data: Buffer): void {
    if (this.#heldHead === undefined) {
      this.#relay.onData(data);
      return;
    }
    this.#heldData.push(data);
    this.#heldBytes += data.length;
    if (this.#heldBytes > maxHeldBytes) this.#exchange?.pause();
  }

  onEnd(): void {
    if (this.#heldHead !== undefined) {
      this.#isEndHeld = true;
      // Only the end of the connection can still come. A paused socket would not report it.
      this.#exchange?.resume();
      return;
    }
    // Has no effect when the whole request has been sent.
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
