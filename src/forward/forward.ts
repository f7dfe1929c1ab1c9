/*
 * This folder owns every request to the store.
 * In: `Authorized`, `Preflight` or `LookupWarrant`, and the client's body. Out: the store's answer, streamed to the client.
 * It builds a new request from the parsed `S3Request` and signs it with the store's key.
 * It never sends a request without one of these proofs, and never passes on the client's credentials.
 * It never evaluates a policy itself.
 * It never repeats a write when the store may have received a byte of it.
 */

import type { Authorized } from '../authorize/authorize-s3.ts';
import type { PassedOn } from '../authorize/pass-on.ts';
import type { Preflight } from '../authorize/preflight.ts';
import { AuthenticationFault } from '../core/authentication-fault.ts';
import { BodyFault } from '../core/body-fault.ts';
import { BudgetExhaustedError } from '../core/byte-budget.ts';
import { ClientGoneError } from '../core/client-gone.ts';
import type { Clock } from '../core/clock.ts';
import type { MaybePromise } from '../core/maybe-promise.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { HttpFault } from '../http-client/http-fault.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import type { Asking } from './asking.ts';
import { questionsBeforehand } from './beforehand.ts';
import type { ClientSide } from './client-answer.ts';
import { DecidedAnswer } from './decided-answer.ts';
import { StoreRefusalError } from './faults.ts';
import { type ArrivingBody, type OutgoingBody, prepareObjectBody, type TrailerMode } from './object-body.ts';
import { buildOutgoing, type OutgoingHead, type Signing, type StoreTarget } from './outgoing-request.ts';
import { passedBody } from './passed-body.ts';
import { passPath } from './passed-path.ts';
import { forwardPreflight, type PreflightAnswer, type PreflightExchange } from './preflight.ts';
import { codeOfRefusedHead } from './refused-head.ts';
import type { Relayed } from './relayed.ts';
import { type Forwarded, ResponseRelay } from './response-relay.ts';
import { needsProbe, type ProbeResult, probeSelector } from './selector-probe.ts';
import { StreamedBody } from './streamed-body.ts';
import { untouchedHead } from './untouched-head.ts';
import { Upload } from './upload.ts';
import { type SmallAnswer, toUpstreamFault, type Upstream } from './upstream.ts';
import { hasCondition, requireCondition } from './write-condition.ts';

/** One client exchange to forward. */
export interface Exchange extends ClientSide {
  /** Sends `100 Continue` to a client that waits for it. */
  readonly invite: () => void;
  /** Checks the caller's session again; see {@link ArrivingBody.recheck}. */
  readonly recheck: ArrivingBody['recheck'];
}

/** Forwards authorized requests to one store. */
export class Forwarder {
  readonly #upstream: Upstream;
  readonly #store: StoreTarget;
  readonly #signingKeys: SigningKeyCache;
  readonly #clock: Clock;

  constructor(upstream: Upstream, store: StoreTarget, signingKeys: SigningKeyCache, clock: Clock) {
    this.#upstream = upstream;
    this.#store = store;
    this.#signingKeys = signingKeys;
    this.#clock = clock;
  }

  /**
   * Signs the request with the store's key, streams it to the store, and streams the answer to the client. On a fault after
   * the start of the answer, the answer has been cut short, or has ended with an error document.
   *
   * @throws UpstreamFault, BodyFault, BudgetExhaustedError, ClientGoneError
   * @throws StoreRefusalError when the store would carry out what it should refuse, or its answer must not be shown
   * @throws AuthenticationFault when the caller's session has ended while the body arrived
   */
  async forward(authorized: Authorized, exchange: Exchange): Promise<Forwarded> {
    const probes = needsProbe(authorized);
    if (probes && (await this.#probe(authorized, exchange)) === 'nothing-to-delete')
      return answerNothing(exchange);
    const ask = questionsBeforehand(authorized);
    await ask?.(this.#asking(exchange));
    const preparing = outgoingBody(authorized, exchange, this.#store.trailers);
    const body = preparing instanceof Promise ? await preparing : preparing;
    const isConditional = hasCondition(authorized);
    if (isConditional) await requireCondition(authorized, this.#asking(exchange));
    // A store may take its time to answer.
    if (probes || ask !== undefined || isConditional)
      exchange.recheck(body.content instanceof StreamedBody ? 'streamed' : 'whole');
    const head = traced(buildOutgoing(authorized, body, this.#store, this.#signing()), exchange);
    const whyRefused = (): Promise<string | undefined> => this.#whyRefused(authorized, exchange);
    return this.#send(authorized, exchange, { head, body, whyRefused });
  }

  /** Sends a request, and once more where the store cannot have carried it out. */
  async #send(relayed: Relayed, exchange: Exchange, outgoing: Outgoing): Promise<Forwarded> {
    try {
      return await this.#attempt(relayed, exchange, outgoing, false);
    } catch (error) {
      if (!isRepeatable(relayed, outgoing.body, error)) throw namedFault(error);
    }
    try {
      return await this.#attempt(relayed, exchange, outgoing, true);
    } catch (error) {
      throw namedFault(error);
    }
  }

  /**
   * Sends a request to the store as it came, with the client's own credentials or none, and streams the answer to the client.
   * @throws as {@link Forwarder.forward}
   */
  async passOn(passed: PassedOn, exchange: Exchange): Promise<Forwarded> {
    const preparing = passedBody(passed, exchange);
    const body = preparing instanceof Promise ? await preparing : preparing;
    const head = untouchedHead(passed, body.length);
    return this.#send(passed, exchange, { head, body, whyRefused: unexplained });
  }

  /**
   * Hands a GET or HEAD of a path to the store, unsigned.
   * @throws UpstreamFault, ClientGoneError
   */
  async passPath(raw: RawRequest, client: Parameters<typeof passPath>[2]): Promise<Forwarded> {
    const store = { upstream: this.#upstream, host: this.#store.host };
    return { kind: 'relayed', facts: await passPath(raw, store, client) };
  }

  /**
   * Forwards a browser's preflight, unsigned.
   * @throws UpstreamFault, BudgetExhaustedError, ClientGoneError
   */
  preflight(preflight: Preflight, exchange: Omit<PreflightExchange, 'host'>): Promise<PreflightAnswer> {
    return forwardPreflight(preflight, this.#upstream, { ...exchange, host: this.#store.host });
  }

  async #probe(authorized: Authorized, exchange: Exchange): Promise<ProbeResult> {
    const { store, signing, ask } = this.#asking(exchange);
    return probeSelector(authorized, store, signing, ask);
  }

  /** Questions end when the client leaves. */
  #asking(exchange: Exchange): Asking {
    const { reservation, response } = exchange;
    const gone = new AbortController();
    if (response.destroyed) gone.abort();
    else response.once('close', () => gone.abort());
    const ask = async (head: OutgoingHead, maxBytes: number): Promise<SmallAnswer> => {
      const before = reservation.bytes;
      try {
        return await this.#upstream.fetchSmall(traced(head, exchange), maxBytes, reservation, gone.signal);
      } catch (error) {
        throw namedFault(error);
      } finally {
        // Each answer is read at once, and a request may ask a thousand questions.
        reservation.resize(before);
      }
    };
    return { store: this.#store, signing: this.#signing(), ask };
  }

  /** Resolves with `undefined` when the store does not say why: the refusal is then relayed as it is. */
  #whyRefused(authorized: Authorized, exchange: Exchange): Promise<string | undefined> {
    const { store, signing, ask } = this.#asking(exchange);
    return codeOfRefusedHead(authorized, store, signing, ask).catch(() => undefined);
  }

  #signing(): Signing {
    return { keys: this.#signingKeys, nowMs: this.#clock.now() };
  }

  #attempt(
    relayed: Relayed,
    exchange: Exchange,
    { head, body, whyRefused }: Outgoing,
    isFresh: boolean,
  ): Promise<Forwarded> {
    const { content } = body;
    // A response that has closed already emits no further 'close'.
    if (exchange.message.socket.destroyed || exchange.response.destroyed) throw new ClientGoneError();
    const relay = new ResponseRelay(relayed, exchange, whyRefused);
    const answer = new DecidedAnswer(relayed, relay);
    if (content instanceof StreamedBody) {
      const upload = new Upload(content, answer);
      const sending = this.#upstream.start({ head, body: body.length, isFresh }, upload);
      answer.begin(sending);
      upload.begin(sending);
    } else {
      const outlastsTimeouts = relayed.request.operation.completesUpload === true;
      answer.begin(this.#upstream.start({ head, body: content, isFresh, outlastsTimeouts }, answer));
    }
    return relay.finished;
  }
}

/** A request on its way to the store. */
interface Outgoing {
  readonly head: OutgoingHead;
  readonly body: OutgoingBody;
  /** Finds the error code of a HEAD that the store has refused; must not reject. */
  readonly whyRefused: () => Promise<string | undefined>;
}

function traced(head: OutgoingHead, { traceHeaders }: Exchange): OutgoingHead {
  head.headers.push(...traceHeaders);
  return head;
}

// The sidecar has no credentials to ask with.
const unexplained = (): Promise<undefined> => Promise.resolve(undefined);

// AWS answers 204 when there is no such configuration.
function answerNothing({ response, ownHeaders }: Exchange): Forwarded {
  response.writeHead(204, [...ownHeaders]).end();
  const unknown = { firstByteMs: undefined, storeRequestId: undefined, errorCode: undefined };
  return { kind: 'relayed', facts: { status: 204, bytesOut: 0, ...unknown } };
}

function outgoingBody(
  { request, document, payload }: Authorized,
  exchange: Exchange,
  trailers: TrailerMode,
): MaybePromise<OutgoingBody> {
  if (document !== undefined) return { length: document.length, content: document };
  if (request.operation.body === 'none') return { length: 0, content: undefined };
  const { message, invite, reservation, recheck } = exchange;
  const { raw, headers: forwarded } = request;
  const arriving = { message, headers: raw.headers, forwarded, payload, reservation, invite, recheck };
  return prepareObjectBody(arriving, trailers);
}

const namedFaults = [
  AuthenticationFault,
  BodyFault,
  BudgetExhaustedError,
  ClientGoneError,
  StoreRefusalError,
];

function namedFault(error: unknown): Error {
  const isNamed = namedFaults.some((kind) => error instanceof kind);
  return isNamed && error instanceof Error ? error : toUpstreamFault(error);
}

// A store can close a kept-alive connection while a request is on its way. Reads are repeated at once. A write is repeated
// only if none of it was sent. Otherwise the store may have executed it, and a second DeleteBucket answers NoSuchBucket.
function isRepeatable({ request }: Relayed, { content }: OutgoingBody, error: unknown): boolean {
  if (!(error instanceof HttpFault && error.isStale) || content instanceof StreamedBody) return false;
  const { method } = request.operation;
  return !error.wasSent || method === 'GET' || method === 'HEAD';
}
