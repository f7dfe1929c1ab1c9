import type { Denied } from '../authorize/authorize-s3.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import type { AnswerHead } from '../http-client/answer-head.ts';
import type { HttpExchange } from '../http-client/http-exchange.ts';
import type { HttpFault } from '../http-client/http-fault.ts';
import { bodyHeaders, ClientAnswer, type ClientSide, type RelayFacts } from './client-answer.ts';
import { CompleteResult } from './complete-result.ts';
import { dropAnswer } from './dropped-answer.ts';
import { UpstreamFault } from './faults.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { Relayed } from './relayed.ts';
import { requireReadable } from './response-headers.ts';
import type { UploadHandler } from './upload.ts';
import { WholeAnswer } from './whole-answer.ts';

/** What became of a request. */
export type Forwarded =
  | { readonly kind: 'relayed'; readonly facts: RelayFacts }
  /** The store's result contains nothing that the caller may see. Nothing has been sent to the client. */
  | { readonly kind: 'refused'; readonly refusal: Denied };

const maxErrorBytes = 1024 * 1024;
const maxResultBytes = 8 * 1024 * 1024;

/**
 * Relays the store's answer to the client with back-pressure. Errors, redirects and results that are rewritten are small, and
 * are collected first. Everything else is streamed. When the client disconnects, or the store takes too long, the request to
 * the store is aborted, unless it completes an upload.
 */
export class ResponseRelay implements UploadHandler {
  readonly finished: Promise<Forwarded>;
  readonly #authorized: Relayed;
  readonly #client: ClientSide;
  readonly #answer: ClientAnswer;
  readonly #whole: WholeAnswer;
  #resolve!: (outcome: Forwarded) => void;
  #reject!: (error: Error) => void;
  #exchange: HttpExchange | undefined;
  /** True once everything has been sent. */
  #isFinished = false;
  #isStopped = false;
  #collected: GrowingBuffer | undefined;
  #complete: CompleteResult | undefined;

  /** @param whyRefused finds the error code of a HEAD that the store has refused; must not reject */
  constructor(authorized: Relayed, client: ClientSide, whyRefused: () => Promise<string | undefined>) {
    this.#authorized = authorized;
    this.#client = client;
    this.#answer = new ClientAnswer(authorized, client);
    const ends = { end: this.#end, refuse: this.#refuse, fail: this.#fail };
    const { reservation } = client;
    this.#whole = new WholeAnswer(authorized, this.#answer, { ends, whyRefused, reservation });
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Later than the fault, so that what has been relayed before it is still sent.
    this.finished.catch(this.#cutShort);
    client.response.once('close', this.#onClientClose);
    client.response.on('drain', this.#onDrain);
  }

  /** True once nothing more may be relayed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Names the exchange whose answer is relayed. */
  begin(exchange: HttpExchange): void {
    this.#exchange = exchange;
  }

  /** Cuts the answer short when it has started, because its status cannot be changed any more. */
  readonly #cutShort = (): void => {
    if (this.#answer.hasStarted && !this.#isFinished) this.#answer.cutShort();
  };

  readonly #onClientClose = (): void => {
    // Not `writableFinished`, which can be true although the closed socket never took the last bytes.
    if (!this.#isFinished) this.#giveUp(new ClientGoneError());
  };

  readonly #onDrain = (): void => this.#exchange?.resume();

  /**
   * Lets go of the response. It stays open for up to 90 seconds when its upload was answered early, and this relay holds the
   * whole request: 1,700 such uploads with long heads took all memory.
   */
  #release(): void {
    this.#client.response.off('close', this.#onClientClose);
    this.#client.response.off('drain', this.#onDrain);
  }

  get isHoldingData(): boolean {
    return this.#client.response.writableLength > 0;
  }

  onDrain(): void {
    // `Upload` passes this on to a streamed body.
  }

  onHead(head: AnswerHead): void {
    this.#answer.takeHead(head);
    const { status } = head;
    const { operation } = this.#authorized.request;
    // A result that is rewritten must exist. A probed operation may be answered with 204.
    const isAnew = this.#authorized.writeResult !== undefined || this.#client.success !== undefined;
    const isChecked =
      (operation.answerRoots !== undefined && operation.method === 'GET') ||
      (operation.unlessKnown === 'probe' && status !== 204);
    const isRead = isAnew || isChecked;
    this.#guarded(() => {
      if ((status >= 300 && status !== 304) || (isRead && status < 300)) {
        if (status < 300) requireReadable(head);
        this.#collected = new GrowingBuffer(this.#client.reservation, this.#collectedLimit());
      } else if (operation.mayFailLate === true && status < 300) {
        requireReadable(head);
        this.#complete = new CompleteResult(this.#client.url, this.#client.reservation);
      } else this.#answer.writeHead(status === 204 ? bodyHeaders : undefined);
    });
  }

  onData(data: Buffer): void {
    if (this.#isStopped) return;
    this.#guarded(() => {
      if (this.#collected !== undefined) requireFit(this.#collected.push(data));
      else if (this.#complete !== undefined) this.#relayDelayed(this.#complete, data);
      else this.#write(data);
    });
  }

  onEnd(): void {
    if (this.#isStopped) return;
    this.#guarded(() => {
      if (this.#collected !== undefined) this.#whole.send(this.#collected.bytes());
      else if (this.#complete !== undefined) this.#whole.sendDelayed(this.#complete.end());
      else this.#end(undefined);
    });
  }

  onFault(fault: HttpFault): void {
    this.#stop(fault);
  }

  onOverdue(fault: HttpFault): void {
    this.#giveUp(fault);
  }

  onBodyFault(fault: Error): void {
    this.#stop(fault);
  }

  /**
   * Gives up the answer. A completion goes on, and keeps its place: MinIO 2026-02 loses the parts of an upload when the connection
   * closes while it puts them together (observed on 2026-11-29).
   */
  #giveUp(reason: Error): void {
    const exchange = this.#exchange;
    const { completesUpload } = this.#authorized.request.operation;
    if (completesUpload !== true || exchange?.isOpen !== true) {
      this.#stop(reason);
      return;
    }
    this.#isStopped = true;
    this.#release();
    this.#goOnAlone(exchange);
    this.#reject(reason);
  }

  #goOnAlone(exchange: HttpExchange): void {
    const { response, reservation } = this.#client;
    // What the client sends next, such as AbortMultipartUpload, must not reach the store before the completion is over.
    if (!response.headersSent) response.shouldKeepAlive = false;
    // What is kept is the document; what its tree and the answer would take is not needed any more.
    reservation.resize(this.#authorized.document?.length ?? 0);
    this.#client.keepPlace(dropAnswer(exchange));
    exchange.resume();
  }

  #stop(reason: Error): void {
    this.#isStopped = true;
    this.#exchange?.abort();
    this.#release();
    this.#whole.abandon();
    this.#reject(reason);
  }

  /** Keeps an error away from the connection, which serves other requests afterwards. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #fail = (error: unknown): void =>
    this.#giveUp(error instanceof Error ? error : new Error('relaying failed', { cause: error }));

  // The announced length, so that no more is reserved, up to the limit.
  #collectedLimit(): number {
    const limit = this.#answer.status >= 300 ? maxErrorBytes : maxResultBytes;
    return Math.min(this.#answer.announcedLength ?? limit, limit);
  }

  #relayDelayed(complete: CompleteResult, data: Buffer): void {
    requireFit(complete.push(data));
    const ready = complete.takeSpace(this.#answer.waitedMs);
    if (ready.length === 0) return;
    if (!this.#answer.hasStarted) this.#answer.writeHead(bodyHeaders);
    this.#write(ready);
  }

  // Nothing has been sent: the caller of this folder answers.
  readonly #refuse = (refusal: Denied): void => {
    this.#isFinished = true;
    this.#release();
    this.#resolve({ kind: 'refused', refusal });
  };

  #write(chunk: Buffer): void {
    const isBehind = this.isHoldingData;
    if (!this.#answer.write(chunk) && isBehind) this.#exchange?.pause();
  }

  /** Ends the answer. `finished` then rejects with `fault` if the document that was sent stands for one. */
  readonly #end = (errorCode: string | undefined, fault?: Error): void => {
    this.#answer.end(errorCode, (facts) => {
      this.#isFinished = true;
      if (!this.#client.response.writableEnded) this.#release();
      if (fault === undefined) this.#resolve({ kind: 'relayed', facts });
      else this.#reject(fault);
    });
  };
}

function requireFit(hasRoom: boolean): void {
  if (!hasRoom) throw new UpstreamFault('protocol', 'the answer is too large');
}
