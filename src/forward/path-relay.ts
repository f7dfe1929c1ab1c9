import { ClientGoneError } from '../core/client-gone.ts';
import type { AnswerHead } from '../http-client/answer-head.ts';
import type { AnswerHandler, HttpExchange } from '../http-client/http-exchange.ts';
import type { HttpFault } from '../http-client/http-fault.ts';
import {
  bodyHeaders,
  type ClientSide,
  cutShort,
  type RelayFacts,
  representationHeaders,
} from './client-answer.ts';
import { relayedHeaders, type StoreHeaders, storeHeader } from './response-headers.ts';

/** Relays an answer as it is, with back-pressure, but for the headers that clients never get from a store. */
export class PathRelay implements AnswerHandler {
  readonly finished: Promise<RelayFacts>;
  readonly #client: Pick<ClientSide, 'message' | 'response' | 'ownHeaders'>;
  readonly #startedAt = performance.now();
  #resolve!: (facts: RelayFacts) => void;
  #reject!: (error: Error) => void;
  #exchange: HttpExchange | undefined;
  #isStopped = false;
  #status = 0;
  #headers: StoreHeaders = [];
  #firstByteMs: number | undefined;
  #bytesOut = 0;

  constructor(client: Pick<ClientSide, 'message' | 'response' | 'ownHeaders'>) {
    this.#client = client;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    client.response.once('close', this.#onClientClose);
    client.response.on('drain', this.#onClientDrain);
  }

  /** Names the exchange whose answer is relayed. */
  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
  }

  readonly #onClientClose = (): void => this.#stop(new ClientGoneError());

  readonly #onClientDrain = (): void => this.#exchange?.resume();

  get isHoldingData(): boolean {
    return this.#client.response.writableLength > 0;
  }

  onDrain(): void {
    // There is no body to write.
  }

  onHead({ status, headers }: AnswerHead): void {
    if (this.#isStopped) return;
    this.#firstByteMs = performance.now() - this.#startedAt;
    this.#status = status;
    this.#headers = headers;
    const { response, ownHeaders } = this.#client;
    if (isRedirect(status)) {
      const kept = relayedHeaders(headers, showAll, representationHeaders);
      response.writeHead(status, [...ownHeaders, ...kept, 'content-length', '0']);
      return;
    }
    const omitted = status === 204 ? bodyHeaders : undefined;
    response.writeHead(status, [...ownHeaders, ...relayedHeaders(headers, showAll, omitted)]);
  }

  onData(data: Buffer): void {
    if (this.#isStopped || data.length === 0 || isRedirect(this.#status)) return;
    this.#bytesOut += data.length;
    if (!this.#client.response.write(data)) this.#exchange?.pause();
  }

  onEnd(): void {
    if (this.#isStopped) return;
    const facts: RelayFacts = {
      status: this.#status,
      bytesOut: this.#bytesOut,
      firstByteMs: this.#firstByteMs,
      storeRequestId: storeHeader(this.#headers, 'x-amz-request-id'),
      errorCode: undefined,
    };
    this.#client.response.end(() => {
      this.#release();
      this.#resolve(facts);
    });
  }

  onFault(fault: HttpFault): void {
    this.#stop(fault);
  }

  #stop(reason: Error): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#exchange?.abort();
    this.#release();
    const { message, response } = this.#client;
    // The status cannot be changed any more.
    if (response.headersSent) cutShort(message, response);
    this.#reject(reason);
  }

  #release(): void {
    this.#client.response.off('close', this.#onClientClose);
    this.#client.response.off('drain', this.#onClientDrain);
  }
}

const showAll = (): boolean => false;

/** The page of a redirect names the address of the store. */
function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}
