import type { AnswerHead } from '../../src/http-client/answer-head.ts';
import type { HttpClient } from '../../src/http-client/http-client.ts';
import type { AnswerHandler, HttpExchange } from '../../src/http-client/http-exchange.ts';
import type { HttpFault } from '../../src/http-client/http-fault.ts';
import type { HttpRequest } from '../../src/http-client/request-head.ts';

/** One exchange and everything that was reported about it. */
export class Asked implements AnswerHandler {
  readonly exchange: HttpExchange;
  isHoldingData = false;
  readonly events: string[] = [];
  head: AnswerHead | undefined;
  fault: HttpFault | undefined;
  bytes = 0;
  body = '';
  drains = 0;
  /** Status and body of the answer, or what went wrong, whichever was reported first. */
  outcome = '';
  readonly over: Promise<this>;
  #settle!: () => void;

  constructor(client: HttpClient, request: Partial<HttpRequest> = {}) {
    this.over = new Promise((resolve) => {
      this.#settle = () => resolve(this);
    });
    this.exchange = client.request({ method: 'GET', target: '/', headers: ['host', 'x'], ...request }, this);
  }

  onHead(head: AnswerHead): void {
    this.events.push('head');
    this.head = head;
  }

  onData(data: Buffer): void {
    this.bytes += data.length;
    if (this.bytes < 100_000) this.body += data.toString('latin1');
  }

  onDrain(): void {
    this.drains += 1;
  }

  onEnd(): void {
    this.events.push('end');
    this.outcome ||= `${this.head?.status} ${this.body}`;
    this.#settle();
  }

  onFault(fault: HttpFault): void {
    this.events.push('fault');
    this.fault = fault;
    this.outcome ||= fault.reason;
    this.#settle();
  }
}
