import type { Denied } from '../authorize/authorize-s3.ts';
import type { ResultWriter } from '../authorize/result-writer.ts';
import type { Reservation } from '../core/byte-budget.ts';
import type { ClientAnswer } from './client-answer.ts';
import type { DelayedOutcome } from './complete-result.ts';
import { UpstreamFault } from './faults.ts';
import { faultBehind } from './hidden-errors.ts';
import { isRefusal } from './refused-head.ts';
import type { Relayed } from './relayed.ts';
import { requireKnown, requireNoListing } from './selector-probe.ts';
import {
  continueWithFault,
  continueWithStoreError,
  readStoreError,
  requireOwnKeyAccepted,
  shownError,
} from './store-error.ts';

/** How an answer can end. */
export interface AnswerEnds {
  /** Everything has been written; `fault` when what was written stands for one. */
  readonly end: (errorCode: string | undefined, fault?: Error) => void;
  /** The caller may see nothing of the result, and nothing has been written. */
  readonly refuse: (refusal: Denied) => void;
  readonly fail: (error: unknown) => void;
}

interface WholeAnswerParts {
  readonly ends: AnswerEnds;
  /** Finds the error code of a HEAD that the store has refused; must not reject. */
  readonly whyRefused: () => Promise<string | undefined>;
  /** Holds the bytes of the answer. */
  readonly reservation: Reservation;
}

/** Writes what the client gets for an answer of the store that was collected whole: an error, a redirect, or a result. */
export class WholeAnswer {
  readonly #authorized: Relayed;
  readonly #answer: ClientAnswer;
  readonly #ends: AnswerEnds;
  readonly #whyRefused: () => Promise<string | undefined>;
  readonly #reservation: Reservation;
  /** Set while the result is rewritten. */
  #writing: AbortController | undefined;

  constructor(
    authorized: Relayed,
    answer: ClientAnswer,
    { ends, whyRefused, reservation }: WholeAnswerParts,
  ) {
    this.#authorized = authorized;
    this.#answer = answer;
    this.#ends = ends;
    this.#whyRefused = whyRefused;
    this.#reservation = reservation;
  }

  /** Ends what goes on: the client has left. */
  abandon(): void {
    this.#writing?.abort();
  }

  /** @throws UpstreamFault, StoreRefusalError when the client must not get it */
  send(body: Buffer): void {
    const { request, writeResult } = this.#authorized;
    const { status, requestId } = this.#answer;
    if (this.#answer.hasOwnSuccess) requireOutcome(status, body);
    if (status < 300) {
      if (writeResult !== undefined) {
        if (status !== 200) throw new UpstreamFault('protocol', `the store answered ${status}`);
        void this.#sendAnew(body, writeResult);
        return;
      }
      if (this.#answer.writeSuccess()) {
        this.#ends.end(undefined);
        return;
      }
      if (request.operation.method === 'GET') requireKnown(body, request.operation);
      else requireNoListing(body);
      this.#sendResult(body);
      return;
    }
    const error = readStoreError(body);
    const fault = faultBehind({ code: error?.code, status }, this.#authorized);
    if (fault !== undefined) throw fault;
    if (request.operation.method === 'HEAD') void this.#sendHead();
    else this.#sendDocument(shownError(body, error, status, requestId), error?.code);
  }

  /**
   * Sends the document of a delayed 200.
   * @throws as {@link WholeAnswer.send}
   */
  sendDelayed(outcome: DelayedOutcome): void {
    const { body, error, fault } = outcome;
    if (this.#answer.hasStarted) this.#sendLate(outcome);
    else if (fault !== undefined) throw fault;
    else if (error === undefined) this.#sendResult(body);
    else {
      this.#answer.status = error.status;
      this.send(body);
    }
  }

  // The status has been sent, but clients of these operations look for an error in the document. The same rules apply to it.
  #sendLate({ body, error, fault: told }: DelayedOutcome): void {
    const { requestId } = this.#answer;
    const fault = error === undefined ? told : faultBehind(error, this.#authorized);
    if (fault !== undefined) {
      this.#answer.write(continueWithFault(fault, requestId));
      this.#ends.end(undefined, fault);
      return;
    }
    this.#answer.write(error === undefined ? body : continueWithStoreError(error, requestId));
    this.#ends.end(error?.code);
  }

  async #sendHead(): Promise<void> {
    const code = isRefusal(this.#answer.status) ? await this.#whyRefused() : undefined;
    try {
      requireOwnKeyAccepted(code);
      this.#answer.writeHead();
      this.#ends.end(undefined);
    } catch (error) {
      this.#ends.fail(error);
    }
  }

  async #sendAnew(storeResult: Buffer, writeResult: ResultWriter): Promise<void> {
    const writing = new AbortController();
    this.#writing = writing;
    try {
      const held = this.#reservation.bytes;
      const reserve = (bytes: number): void => this.#reservation.growTo(held + bytes);
      const result = await writeResult(storeResult, { signal: writing.signal, reserve });
      // The client has disconnected meanwhile.
      if (writing.signal.aborted) return;
      if ('refusal' in result) this.#ends.refuse(result.refusal);
      else this.#sendDocument(result, undefined);
    } catch (error) {
      this.#ends.fail(error);
    }
  }

  #sendResult(body: Buffer): void {
    this.#answer.writeWhole(body);
    this.#ends.end(undefined);
  }

  #sendDocument(document: Buffer, errorCode: string | undefined): void {
    this.#answer.writeDocument(document);
    this.#ends.end(errorCode);
  }
}

// A browser would post a redirected form again, with the credentials in it, and would not look for an error in a success.
function requireOutcome(status: number, body: Buffer): void {
  const isRedirect = status >= 300 && status < 400;
  if (isRedirect || (status < 300 && readStoreError(body) !== undefined))
    throw new UpstreamFault(
      'protocol',
      `the store answered the upload of a form with ${isRedirect ? 'a redirect' : 'an error'}, status ${status}`,
    );
}
