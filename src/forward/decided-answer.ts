import type { AnswerHead } from '../http-client/answer-head.ts';
import type { HttpExchange } from '../http-client/http-exchange.ts';
import type { HttpFault } from '../http-client/http-fault.ts';
import type { Relayed } from './relayed.ts';
import { permissionsToShow } from './response-headers.ts';
import type { ResponseRelay } from './response-relay.ts';
import type { UploadHandler } from './upload.ts';

/**
 * Passes the store's answer to its relay once it is decided what the client may see of it: at once, unless the decisions have
 * to pause. Little of the answer comes meanwhile, because reading is paused too.
 */
export class DecidedAnswer implements UploadHandler {
  readonly #authorized: Relayed;
  readonly #relay: ResponseRelay;
  #exchange: HttpExchange | undefined;
  /** What has come since the head; present while that is decided on. */
  #held: Buffer[] | undefined;
  #isEndHeld = false;

  constructor(authorized: Relayed, relay: ResponseRelay) {
    this.#authorized = authorized;
    this.#relay = relay;
  }

  /** Names the exchange whose answer is relayed. */
  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
    this.#relay.begin(exchange);
  }

  get isHoldingData(): boolean {
    return this.#relay.isHoldingData;
  }

  onDrain(): void {
    this.#relay.onDrain();
  }

  onHead(head: AnswerHead): void {
    const deciding = this.#authorized.decide(permissionsToShow(head, this.#authorized));
    if (deciding instanceof Promise) void this.#hold(head, deciding);
    else this.#relay.onHead(head);
  }

  onData(data: Buffer): void {
    // The connection uses its buffer again.
    if (this.#held === undefined) this.#relay.onData(data);
    else this.#held.push(Buffer.from(data));
  }

  onEnd(): void {
    if (this.#held === undefined) this.#relay.onEnd();
    else this.#isEndHeld = true;
  }

  onFault(fault: HttpFault): void {
    this.#relay.onFault(fault);
  }

  onOverdue(fault: HttpFault): void {
    this.#relay.onOverdue(fault);
  }

  onBodyFault(fault: Error): void {
    this.#relay.onBodyFault(fault);
  }

  async #hold(head: AnswerHead, deciding: Promise<void>): Promise<void> {
    const held: Buffer[] = [];
    this.#held = held;
    this.#exchange?.pause();
    try {
      await deciding;
    } catch (error) {
      this.#relay.onBodyFault(
        error instanceof Error ? error : new Error('deciding failed', { cause: error }),
      );
    }
    this.#held = undefined;
    // Before the relay writes, which may pause it again.
    this.#exchange?.resume();
    // The client or the store may have left meanwhile.
    if (!this.#relay.isStopped) this.#relay.onHead(head);
    for (const data of held) if (!this.#relay.isStopped) this.#relay.onData(data);
    if (this.#isEndHeld && !this.#relay.isStopped) this.#relay.onEnd();
  }
}
