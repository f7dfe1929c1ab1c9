import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Authorized } from '../authorize/authorize-s3.ts';
import type { Reservation } from '../core/byte-budget.ts';
import { isBodyUnread, readOn } from '../core/lingering.ts';
import type { AnswerHead } from '../http-client/answer-head.ts';
import type { HttpExchange } from '../http-client/http-exchange.ts';
import type { HttpFault } from '../http-client/http-fault.ts';
import { CompleteResult, isDelayed } from './complete-result.ts';
import { ClientGone, MissingHidden, ResultRefused, UpstreamFault } from './faults.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { responseHeaders, type StoreHeaders, storeHeader } from './response-headers.ts';
import { requireNoListing } from './selector-probe.ts';
import {
  continueWithStoreError,
  readStoreError,
  shownError,
  storeAuthenticationCodes,
} from './store-error.ts';
import type { UploadHandler } from './upload.ts';

/** The client's side of a forwarded request. */
export interface ClientSide {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Headers of every answer, flat name, value, name, value. */
  readonly ownHeaders: readonly string[];
  /** The URL of the request as the client sent it, without its query. */
  readonly url: string;
  /** Pays for everything of this exchange that is held whole; the caller releases it. */
  readonly reservation: Reservation;
}

/** What became of a request at the store. */
export interface RelayFacts {
  readonly status: number;
  readonly bytesOut: number;
  /** Milliseconds until the head of the store's answer arrived. */
  readonly firstByteMs: number | undefined;
  readonly storeRequestId: string | undefined;
  /** The code of the store's error document. */
  readonly errorCode: string | undefined;
}

const maxErrorBytes = 1024 * 1024;
const maxResultBytes = 8 * 1024 * 1024;
/** What else can be missing says nothing about the names of objects. */
const shownWhenMissing: ReadonlySet<string | undefined> = new Set([
  'NoSuchBucket',
  'NoSuchObjectLockConfiguration',
  'NoSuchTagSet',
  'NoSuchUpload',
  'ObjectLockConfigurationNotFoundError',
]);
const bodyHeaders: ReadonlySet<string> = new Set(['content-length', 'content-md5', 'etag']);

/**
 * Relays the store's answer to the client with back-pressure. Errors, redirects and results that are written anew are
 * small and collected first; everything else is streamed. Aborts the store's side when the client goes away.
 */
export class ResponseRelay implements UploadHandler {
  readonly finished: Promise<RelayFacts>;
  readonly #authorized: Authorized;
  readonly #client: ClientSide;
  #resolve!: (facts: RelayFacts) => void;
  #reject!: (error: Error) => void;
  #exchange: HttpExchange | undefined;
  /** Everything has been sent. */
  #isFinished = false;
  #status = 0;
  #headers: StoreHeaders = [];
  #bytesOut = 0;
  readonly #startedAt = performance.now();
  #firstByteMs: number | undefined;
  #collected: GrowingBuffer | undefined;
  #complete: CompleteResult | undefined;

  constructor(authorized: Authorized, client: ClientSide) {
    this.#authorized = authorized;
    this.#client = client;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Rejected before it is waited for, it must not end the process.
    this.finished.catch(() => undefined);
    client.response.once('close', () => this.#onClientClose());
    client.response.on('drain', () => this.#exchange?.resume());
  }

  /** Names the exchange whose answer is relayed. */
  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
  }

  /** True once the client has been told a status: from then on only the connection can be closed. */
  get hasStarted(): boolean {
    return this.#client.response.headersSent;
  }

  #onClientClose(): void {
    // Not `writableFinished`: it can be true of bytes that a closed socket never took, and nobody would hear of them.
    if (!this.#isFinished) this.#stop(new ClientGone());
  }

  onDrain(): void {
    // A body that is streamed hears of it itself.
  }

  onHead({ status, headers }: AnswerHead): void {
    this.#firstByteMs = performance.now() - this.#startedAt;
    this.#status = status;
    this.#headers = headers;
    const { operation } = this.#authorized.request;
    const isRead = this.#authorized.writeResult !== undefined || operation.unlessKnown === 'probe';
    this.#guarded(() => {
      if ((status >= 300 && status !== 304) || (isRead && status < 300 && status !== 204)) {
        this.#collected = new GrowingBuffer(this.#client.reservation, this.#collectedLimit());
      } else if (isDelayed(operation.name) && status === 200) {
        this.#complete = new CompleteResult(this.#client.url, this.#client.reservation);
      } else this.#writeHead(status === 204 ? bodyHeaders : undefined);
    });
  }

  onData(data: Buffer): void {
    this.#guarded(() => {
      if (this.#collected !== undefined) requireFit(this.#collected.push(data));
      else if (this.#complete !== undefined) this.#relayDelayed(this.#complete, data);
      else this.#write(data);
    });
  }

  onEnd(): void {
    this.#guarded(() => {
      if (this.#collected !== undefined) this.#answerCollected(this.#collected.bytes());
      else if (this.#complete !== undefined) this.#answerDelayed(this.#complete);
      else this.#end(undefined);
    });
  }

  onFault(fault: HttpFault): void {
    this.#stop(fault);
  }

  onBodyFault(fault: Error): void {
    this.#stop(fault);
  }

  #stop(reason: Error): void {
    this.#exchange?.abort();
    this.#reject(reason);
  }

  /** What fails here must not reach the connection, which serves others afterwards. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#stop(error instanceof Error ? error : new Error('relaying failed', { cause: error }));
    }
  }

  // What was announced, so that no more is paid for; never more than the limit.
  #collectedLimit(): number {
    const limit = this.#status >= 300 ? maxErrorBytes : maxResultBytes;
    const announced = Number(storeHeader(this.#headers, 'content-length') ?? limit);
    return Math.min(announced, limit);
  }

  #relayDelayed(complete: CompleteResult, data: Buffer): void {
    const waitedMs = performance.now() - this.#startedAt - (this.#firstByteMs ?? 0);
    requireFit(complete.push(data));
    const ready = complete.takeSpace(waitedMs);
    if (ready.length === 0) return;
    if (!this.hasStarted) this.#writeHead(bodyHeaders);
    this.#write(ready);
  }

  #answerDelayed(complete: CompleteResult): void {
    const { body, errorStatus } = complete.end();
    if (this.hasStarted) {
      // Too late for another status; clients look into the document of these operations.
      const error = errorStatus === undefined ? undefined : readStoreError(body);
      this.#write(error === undefined ? body : continueWithStoreError(error, this.#requestId));
      this.#end(error?.code);
    } else if (errorStatus === undefined) this.#answer(body, undefined);
    else {
      this.#status = errorStatus;
      this.#answerCollected(body);
    }
  }

  #answerCollected(body: Buffer): void {
    const { request, writeResult } = this.#authorized;
    if (this.#status < 300) {
      if (writeResult === undefined) requireNoListing(body);
      else if (this.#status !== 200)
        throw new UpstreamFault('protocol', `the store answered ${this.#status}`);
      const result = writeResult?.(body) ?? body;
      if ('refusal' in result) throw new ResultRefused(result.refusal);
      this.#answer(result, undefined);
      return;
    }
    const error = readStoreError(body);
    if (error !== undefined && storeAuthenticationCodes.has(error.code)) {
      throw new UpstreamFault('store_authentication', `the store refused the sidecar's key: ${error.code}`);
    }
    const isHidden = this.#status === 404 && !shownWhenMissing.has(error?.code);
    if (isHidden && !this.#maySeeMissing()) throw new MissingHidden();
    const isHead = request.operation.method === 'HEAD';
    if (isHead) this.#answerHead();
    else this.#answer(shownError(body, error, this.#status, this.#requestId), error?.code);
  }

  get #requestId(): string {
    return this.#client.ownHeaders[1] ?? '';
  }

  #maySeeMissing(): boolean {
    const { seesMissing } = this.#authorized.request;
    return seesMissing === undefined || this.#authorized.permits(seesMissing);
  }

  #answerHead(): void {
    this.#writeHead(undefined);
    this.#end(undefined);
  }

  #answer(body: Buffer, errorCode: string | undefined): void {
    this.#writeHead(bodyHeaders, ['content-length', String(body.length)]);
    this.#write(body);
    this.#end(errorCode);
  }

  #writeHead(omitted: ReadonlySet<string> | undefined, further: readonly string[] = []): void {
    const { message, response, ownHeaders } = this.#client;
    const kept = responseHeaders(this.#headers, this.#authorized, omitted);
    // The store has answered before it had the whole body: what is left of it cannot be told from a next request.
    const closing = isBodyUnread(message) ? ['connection', 'close'] : [];
    response.writeHead(this.#status, [...ownHeaders, ...kept, ...further, ...closing]);
  }

  #write(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#bytesOut += chunk.length;
    if (!this.#client.response.write(chunk)) this.#exchange?.pause();
  }

  #end(errorCode: string | undefined): void {
    const facts: RelayFacts = {
      status: this.#status,
      bytesOut: this.#bytesOut,
      firstByteMs: this.#firstByteMs,
      storeRequestId: storeHeader(this.#headers, 'x-amz-request-id'),
      errorCode,
    };
    const { message, response } = this.#client;
    if (!isBodyUnread(message)) {
      response.end(() => this.#finish(facts));
      return;
    }
    void readOn(message).then(() => response.end());
    this.#finish(facts);
  }

  #finish(facts: RelayFacts): void {
    this.#isFinished = true;
    this.#resolve(facts);
  }
}

function requireFit(hasRoom: boolean): void {
  if (!hasRoom) throw new UpstreamFault('protocol', 'the answer is too large');
}
