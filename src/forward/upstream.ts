import { BudgetExhaustedError, type Reservation } from '../core/byte-budget.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import type { Secret } from '../core/secret.ts';
import type { AnswerHead } from '../http-client/answer-head.ts';
import type { TlsCredentials } from '../http-client/connect.ts';
import { HttpClient } from '../http-client/http-client.ts';
import type { AnswerHandler, HttpExchange } from '../http-client/http-exchange.ts';
import { HttpFault } from '../http-client/http-fault.ts';
import { UpstreamFault } from './faults.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { OutgoingHead } from './outgoing-request.ts';

/** Timeouts of connections to the store. */
export interface UpstreamTimeouts {
  readonly connectSeconds: number;
  readonly headersSeconds: number;
  readonly idleSeconds: number;
}

/** How a store with https is verified, and what it is shown. PEM. */
export interface UpstreamTls {
  /** Authorities that are trusted, instead of the public ones. */
  readonly caPem?: string;
  readonly certPem?: string;
  readonly keyPem?: Secret;
}

/** An answer of the store that was read whole. */
export interface SmallAnswer {
  readonly status: number;
  /** Flat: name in lower case, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** One request to the store. */
export interface StoreRequest {
  readonly head: OutgoingHead;
  /** The whole body, or the number of bytes that will be written to the exchange. */
  readonly body?: Buffer | number | undefined;
  /** True to use a new connection. */
  readonly isFresh?: boolean;
  /** See {@link HttpRequest.outlastsTimeouts}. */
  readonly outlastsTimeouts?: boolean;
}

/** The connections to one store. */
export class Upstream {
  readonly #client: HttpClient;

  constructor(
    origin: string,
    { connectSeconds, headersSeconds, idleSeconds }: UpstreamTimeouts,
    tls?: UpstreamTls,
  ) {
    const timeouts = {
      connectMs: connectSeconds * 1000,
      headersMs: headersSeconds * 1000,
      idleMs: idleSeconds * 1000,
    };
    this.#client = new HttpClient(origin, timeouts, credentialsOf(tls));
  }

  /** Uses other certificates for new connections; those that are open go on. */
  replaceTls(tls: UpstreamTls | undefined): void {
    this.#client.replaceTls(credentialsOf(tls));
  }

  /** Starts a request. The answer, or the fault, goes to `handler`. */
  start(
    { head: { method, target, headers }, body, isFresh = false, outlastsTimeouts = false }: StoreRequest,
    handler: AnswerHandler,
  ): HttpExchange {
    return this.#client.request({ method, target, headers, body, isFresh, outlastsTimeouts }, handler);
  }

  /**
   * Sends a read request without a body, and reads the whole answer, which counts against `reservation`. Repeats it once
   * when the store has closed a kept-alive connection.
   *
   * @throws HttpFault
   * @throws UpstreamFault when the answer is longer than `maxBytes`
   * @throws BudgetExhaustedError
   * @throws ClientGoneError when `signal` is aborted
   */
  async fetchSmall(
    head: OutgoingHead,
    maxBytes: number,
    reservation: Reservation,
    signal?: AbortSignal,
  ): Promise<SmallAnswer> {
    try {
      return await this.#fetch({ head }, maxBytes, reservation, signal);
    } catch (error) {
      if (!(error instanceof HttpFault && error.isStale)) throw error;
      return this.#fetch({ head, isFresh: true }, maxBytes, reservation, signal);
    }
  }

  /** Closes every connection at once. */
  destroy(): void {
    this.#client.destroy();
  }

  async #fetch(
    request: StoreRequest,
    maxBytes: number,
    reservation: Reservation,
    signal?: AbortSignal,
  ): Promise<SmallAnswer> {
    if (signal?.aborted === true) throw new ClientGoneError();
    const reader = new SmallAnswerReader(new GrowingBuffer(reservation, maxBytes));
    reader.begin(this.start(request, reader));
    const abandon = (): void => reader.abandon();
    signal?.addEventListener('abort', abandon);
    try {
      return await reader.answer;
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }
}

function credentialsOf({ caPem, certPem, keyPem }: UpstreamTls = {}): TlsCredentials {
  return {
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { cert: certPem, key: keyPem.reveal() }),
  };
}

/** Reads a whole answer. */
class SmallAnswerReader implements AnswerHandler {
  /** Everything is copied. */
  readonly isHoldingData = false;
  readonly answer: Promise<SmallAnswer>;
  readonly #kept: GrowingBuffer;
  #resolve!: (answer: SmallAnswer) => void;
  #reject!: (error: Error) => void;
  #exchange: HttpExchange | undefined;
  #head: AnswerHead = { status: 0, headers: [] };

  constructor(kept: GrowingBuffer) {
    this.#kept = kept;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
  }

  /** Aborts the request. */
  abandon(): void {
    this.#exchange?.abort();
    this.#reject(new ClientGoneError());
  }

  onHead(head: AnswerHead): void {
    this.#head = head;
  }

  onData(data: Buffer): void {
    try {
      if (!this.#kept.push(data)) throw new UpstreamFault('protocol', 'the answer is too large');
    } catch (error) {
      this.#exchange?.abort();
      this.#reject(error instanceof Error ? error : new Error('keeping the answer failed', { cause: error }));
    }
  }

  onDrain(): void {
    // There is no body to write.
  }

  onEnd(): void {
    this.#resolve({ ...this.#head, body: this.#kept.bytes() });
  }

  onFault(fault: HttpFault): void {
    this.#reject(fault);
  }
}

/** Translates an error into a fault of this folder. {@link BudgetExhaustedError} stays as it is. */
export function toUpstreamFault(error: unknown): UpstreamFault | BudgetExhaustedError | ClientGoneError {
  if (
    error instanceof ClientGoneError ||
    error instanceof UpstreamFault ||
    error instanceof BudgetExhaustedError
  )
    return error;
  if (!(error instanceof HttpFault))
    return new UpstreamFault('protocol', 'the store did not answer as expected', error);
  const reason = error.reason === 'idle_timeout' ? 'body_timeout' : error.reason;
  return new UpstreamFault(reason, `the store failed: ${error.message}`, error);
}
