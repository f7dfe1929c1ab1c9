import { performance } from 'node:perf_hooks';
import type { AuthenticationSources } from '../authenticate/authenticate.ts';
import type { Caller } from '../authenticate/caller.ts';
import type { OwnKeys } from '../authenticate/for-store.ts';
import { type Identified, turnOwnerOf } from '../authorize/asker.ts';
import { type Authorized, authorizeS3 } from '../authorize/authorize-s3.ts';
import { decisionFacts } from '../authorize/decide.ts';
import type { Denied } from '../authorize/denied.ts';
import type { AuthorizationSources } from '../authorize/permission-decider.ts';
import { longBatch } from '../authorize/settle-batch.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import type { ServiceError } from '../core/service-error.ts';
import { nextTurn } from '../core/turns.ts';
import type { SuccessAnswer } from '../forward/client-answer.ts';
import type { Forwarder } from '../forward/forward.ts';
import type { Forwarded } from '../forward/response-relay.ts';
import { s3Error } from '../s3/errors.ts';
import type { S3Request } from '../s3/operation.ts';
import type { RouteSettings } from '../s3/route.ts';
import { limitReading, sendAnswer } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { RequestTrace } from './request-trace.ts';
import { StoreExchange } from './store-exchange.ts';

/** Everything one configuration handles S3 requests with. */
export interface S3Pipeline {
  readonly routing: RouteSettings;
  readonly authentication: AuthenticationSources;
  readonly authorization: AuthorizationSources;
  readonly forwarder: Forwarder;
  readonly strangers: StrangersRules;
  /** Seals the reason of a denial, for DecodeAuthorizationMessage; `undefined` when the answer only names the request. */
  readonly sealDenial: ((denial: Denial) => string) | undefined;
}

/** How requests are treated that have no credentials, or those of nobody whom the sidecar knows. */
interface StrangersRules {
  readonly anonymous: 'reject' | 'policy' | 'passthrough';
  readonly unknownAccessKeys: 'reject' | 'passthrough';
  /** The region that requests without a signature count for. */
  readonly region: string;
  readonly ownKeys: OwnKeys;
  /** Host and port of the store. */
  readonly storeHost: string;
  /** Beginnings of paths that are handed to the store as they are. */
  readonly prefixes: readonly string[];
}

/** A refusal of a caller whose signature was verified. */
export interface Denial {
  readonly caller: Caller;
  readonly denied: Denied;
  /** The request's arrival, milliseconds since the Unix epoch. */
  readonly deniedAtMs: number;
  readonly requestId: string;
}

/** Where a request comes from, and where its facts go. */
interface Surroundings {
  readonly connection: ClientConnection;
  readonly trace: RequestTrace;
  /** Present for a client that is told of a success in its own way; given the URL of the object, and its ETag. */
  readonly success?: (url: string, etag: string) => SuccessAnswer;
}

/**
 * Takes a request whose caller is known, or anonymous, through the last stages: authorize, forward.
 * @throws what a stage throws; the caller renders it
 */
export async function performS3(
  request: S3Request,
  identified: Identified,
  pipeline: S3Pipeline,
  { connection, trace, success }: Surroundings,
): Promise<void> {
  trace.audit?.asks(request);
  requireAudit(trace);
  const authorizing = authorize(request, identified, pipeline, { connection, trace });
  const authorized = authorizing instanceof Promise ? await authorizing : authorizing;
  // The store may have taken its time to say which tags there are.
  if (authorizing instanceof Promise) identified.recheck(connection.clock.now());
  trace.audit?.deniedOf(authorized.deniedItems);
  if (authorized.isEmptyBatch) {
    if (authorized.deniedItems.length > longBatch) {
      const { owner, session } = turnOwnerOf(identified.caller);
      await nextTurn(owner, session);
    }
    await answerEmptyBatch(authorized, connection, trace);
    return;
  }
  const further = { success, traceHeaders: trace.askStore() };
  const exchange = new StoreExchange(authorized, identified, connection, further);
  const denied = await sendToStore(authorized.request, connection, trace, () =>
    pipeline.forwarder.forward(authorized, exchange),
  );
  if (denied === undefined) return;
  throw refuse(denied, identified, pipeline, trace);
}

/**
 * Reserves room for the audit record, before the store is asked for anything.
 * @throws ServiceUnavailable when the record could not be kept, and `audit.failClosed` is set
 */
export function requireAudit(trace: RequestTrace): void {
  if (trace.canBeAudited()) return;
  throw s3Error('ServiceUnavailable', 'The service is not available at the moment. Please try again.', {
    detail: 'the audit record cannot be kept',
  });
}

/** Notes a denial, and returns the error that tells the caller. */
export function refuse(
  denied: Denied,
  identified: Identified,
  pipeline: S3Pipeline,
  trace: RequestTrace,
): ServiceError {
  noteDecision(denied, trace);
  return refusal(denied, identified, pipeline, trace);
}

/**
 * Decides a request.
 * @throws AccessDenied, or what the request is refused with although it is allowed
 */
export function authorize(
  request: S3Request,
  identified: Identified,
  pipeline: S3Pipeline,
  { connection, trace }: Pick<Surroundings, 'connection' | 'trace'>,
): MaybePromise<Authorized> {
  const startedAt = performance.now();
  const deciding = authorizeS3(request, identified, pipeline.authorization, connection.response);
  return whenReady(deciding, (result) => {
    noteDecision(result, trace, (performance.now() - startedAt) * 1000);
    if (!result.isAllowed) throw refusal(result, identified, pipeline, trace);
    if (request.refusal !== undefined) throw request.refusal;
    return result;
  });
}

/** Notes how a request was decided. */
export function noteDecision(result: Authorized | Denied, trace: RequestTrace, durationUs = 0): void {
  const { decision } = result;
  trace.add({ decision: decisionFacts(decision, durationUs, !result.isAllowed || result.isEnforced) });
  if (decision.fault !== undefined) trace.add({ errorDetail: `deciding failed: ${String(decision.fault)}` });
}

function refusal(
  denied: Denied,
  { caller, raw }: Identified,
  { sealDenial }: S3Pipeline,
  trace: RequestTrace,
): ServiceError {
  trace.audit?.denied(denied.message);
  // Whatever is said to an anonymous caller is said to everyone.
  if (caller.kind === 'anonymous') return s3Error('AccessDenied');
  const { receivedAtMs, requestId } = raw;
  const sealed = sealDenial?.({ caller, denied, deniedAtMs: receivedAtMs, requestId });
  const reason =
    sealed === undefined ? `(request id ${requestId})` : `Encoded authorization failure message: ${sealed}`;
  return s3Error('AccessDenied', `${denied.message} ${reason}`);
}

async function answerEmptyBatch(
  authorized: Authorized,
  connection: ClientConnection,
  trace: RequestTrace,
): Promise<void> {
  const { ownHeaders } = connection;
  const body = authorized.request.batch?.writeResult(undefined, authorized.deniedItems) ?? Buffer.alloc(0);
  trace.add({ status: 200, bytesOut: body.length });
  await sendAnswer(connection, {
    status: 200,
    contentType: 'application/xml',
    body,
    headers: ownHeaders,
  });
}

/**
 * Sends a request to the store, and notes what became of it.
 * @param request what is sent; `undefined` for a path that is no request of S3
 * @returns why the caller may see nothing of the store's answer; `undefined` when it was relayed
 */
export async function sendToStore(
  request: S3Request | undefined,
  { response, place }: ClientConnection,
  trace: RequestTrace,
  send: () => Promise<Forwarded>,
): Promise<Denied | undefined> {
  limitReading(response, () => place.holdsBytes);
  const startedMs = trace.elapsedMs();
  try {
    const outcome = await send();
    if (outcome.kind === 'refused') return outcome.refusal;
    const { facts } = outcome;
    trace.add({
      status: facts.status,
      bytesOut: facts.bytesOut,
      bytesIn: request === undefined ? 0 : bytesIn(request),
      errorCode: facts.errorCode,
      upstreamRequestId: facts.storeRequestId,
      firstByteMs: facts.firstByteMs === undefined ? undefined : startedMs + facts.firstByteMs,
    });
    return undefined;
  } finally {
    trace.add({ upstreamMs: trace.elapsedMs() - startedMs });
  }
}

// A body in HTTP chunks has no Content-Length, but aws-chunked framing declares its length. Without a body, both headers
// can say anything.
function bytesIn({ operation, raw: { headers } }: S3Request): number {
  if (operation.body === 'none') return 0;
  const declared = headers.get('content-length') ?? headers.get('x-amz-decoded-content-length') ?? '';
  return /^\d{1,15}$/.test(declared) ? Number(declared) : 0;
}
