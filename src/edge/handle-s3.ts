import { performance } from 'node:perf_hooks';
import {
  type Authenticated,
  type AuthenticationSources,
  authenticateS3,
} from '../authenticate/authenticate.ts';
import { type Caller, claimsOf } from '../authenticate/caller.ts';
import { requireSignature } from '../authenticate/scheme.ts';
import { type Authorized, authorizeS3 } from '../authorize/authorize-s3.ts';
import { decisionFacts } from '../authorize/decide.ts';
import type { Denied } from '../authorize/denied.ts';
import type { AuthorizationSources } from '../authorize/permission-decider.ts';
import { refuseBatch } from '../authorize/refuse-batch.ts';
import { longBatch } from '../authorize/settle-batch.ts';
import { requireClient } from '../core/client-gone.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { ServiceError } from '../core/service-error.ts';
import { nextTurn, takeShare } from '../core/turns.ts';
import type { Exchange, Forwarder } from '../forward/forward.ts';
import { readDocumentBody, requireNoBody } from '../forward/request-body.ts';
import { maxDocumentBytes, withDocument } from '../s3/document.ts';
import { s3Error } from '../s3/errors.ts';
import { allowsStreaming, type S3Request } from '../s3/operation.ts';
import { type RouteSettings, route } from '../s3/route.ts';
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
  /** Seals the reason of a denial, for DecodeAuthorizationMessage; `undefined` when the answer only names the request. */
  readonly sealDenial: ((denial: Denial) => string) | undefined;
}

/** Bytes reserved for each byte of a document, for its tree and for the answer made from it. */
const documentFactor = 4;

/** Further bytes reserved for each item of a batch: its decision takes this much, however short its key is. */
const bytesPerItem = 192;

/** Documents that are parsed in one turn of the event loop, all together. */
const documentBytesPerTurn = 65_536;

/** The least part of a turn that a document takes. */
const leastShare: number = 1 / 32;

/** A refusal of an authenticated caller. */
export interface Denial {
  readonly caller: Caller;
  readonly denied: Denied;
  /** The request's arrival, milliseconds since the Unix epoch. */
  readonly deniedAtMs: number;
  readonly requestId: string;
}

/**
 * Takes one S3 request through its stages: route, authenticate, read the document if it has one, authorize, forward.
 * @throws what a stage throws; the caller renders it
 */
export async function handleS3(
  raw: RawRequest,
  connection: ClientConnection,
  pipeline: S3Pipeline,
  trace: RequestTrace,
): Promise<void> {
  const claim = requireSignature(raw);
  const request = route(claim.request, pipeline.routing);
  const { operation, bucket, key } = request;
  trace.add({ operation: operation.name, bucket, key });
  const authenticating = authenticateS3(claim, allowsStreaming(operation), pipeline.authentication);
  const authenticated = authenticating instanceof Promise ? await authenticating : authenticating;
  const { caller } = authenticated;
  const { arn, accessKeyId } = caller;
  trace.add({ principalArn: arn, accessKeyId, sessionId: claimsOf(caller)?.sessionId });
  connection.place.admit(caller.entity.arn);
  const refusing = refuseBatch(request, authenticated, pipeline.authorization, connection.response);
  const refused = refusing instanceof Promise ? await refusing : refusing;
  if (refused !== undefined) {
    traceDecision(refused, trace);
    throw refusal(refused, authenticated, pipeline);
  }
  // A document that is only passed on does not affect the decision, so a denied one is not invited with 100 Continue.
  if (operation.document !== undefined && operation.document.read === undefined)
    await authorize(request, authenticated, pipeline, { connection, trace });
  const complete =
    operation.body === 'document'
      ? await readDocument(request, authenticated, connection, pipeline.routing.partition)
      : request;
  if (operation.body === 'none') requireNoBody(raw.headers, authenticated.payload);
  const authorizing = authorize(complete, authenticated, pipeline, { connection, trace });
  const authorized = authorizing instanceof Promise ? await authorizing : authorizing;
  // The store may have taken its time to say which tags there are.
  if (authorizing instanceof Promise) authenticated.recheck(connection.clock.now());
  if (authorized.isEmptyBatch) {
    if (authorized.deniedItems.length > longBatch) await nextTurn(caller.entity.arn, arn);
    await answerEmptyBatch(authorized, connection, trace);
    return;
  }
  const exchange = new StoreExchange(authorized, authenticated, connection);
  limitReading(connection.response, () => connection.place.holdsBytes);
  const denied = await forward(authorized, exchange, pipeline.forwarder, trace);
  if (denied === undefined) return;
  traceDecision(denied, trace);
  throw refusal(denied, authenticated, pipeline);
}

async function readDocument(
  request: S3Request,
  authenticated: Authenticated,
  { message, response, invite, place, clock }: ClientConnection,
  partition: string,
): Promise<S3Request> {
  const { headers } = request.raw;
  const maxBytes = maxDocumentBytes(request);
  // Before reading, so that a document without room costs nothing.
  const announced = Number(headers.get('content-length') ?? 0);
  if (announced <= maxBytes) place.reservation.growTo(announced * (documentFactor - 1));
  const body = await readDocumentBody(message, {
    headers,
    payload: authenticated.payload,
    checksumsOfAnother: request.operation.checksumsOfAnother === true,
    maxBytes,
    reservation: place.reservation,
    invite,
  });
  // Parsing takes up to tens of milliseconds, and many documents may arrive together.
  const { entity, arn } = authenticated.caller;
  const share = Math.min(1, Math.max(leastShare, body.length / documentBytesPerTurn));
  if (!takeShare(entity.arn, share)) {
    await nextTurn(entity.arn, arn, share);
    requireClient(response);
  }
  // The session may have expired or been revoked while the body arrived.
  authenticated.recheck(clock.now());
  place.reservation.growTo(body.length * documentFactor);
  const complete = withDocument(request, body, partition);
  const items = complete.batch?.items.length ?? 0;
  place.reservation.growTo(body.length * documentFactor + items * bytesPerItem);
  return complete;
}

function authorize(
  request: S3Request,
  authenticated: Authenticated,
  pipeline: S3Pipeline,
  { connection, trace }: { readonly connection: ClientConnection; readonly trace: RequestTrace },
): MaybePromise<Authorized> {
  const startedAt = performance.now();
  const deciding = authorizeS3(request, authenticated, pipeline.authorization, connection.response);
  return whenReady(deciding, (result) => {
    traceDecision(result, trace, (performance.now() - startedAt) * 1000);
    if (!result.isAllowed) throw refusal(result, authenticated, pipeline);
    if (request.refusal !== undefined) throw request.refusal;
    return result;
  });
}

function traceDecision(result: Authorized | Denied, trace: RequestTrace, durationUs = 0): void {
  const { decision } = result;
  trace.add({ decision: decisionFacts(decision, durationUs, !result.isAllowed || result.isEnforced) });
  if (decision.fault !== undefined) trace.add({ errorDetail: `deciding failed: ${String(decision.fault)}` });
}

function refusal(denied: Denied, { caller, raw }: Authenticated, { sealDenial }: S3Pipeline): ServiceError {
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

/** Returns why the caller may see nothing of the store's answer; `undefined` when it was relayed. */
async function forward(
  authorized: Authorized,
  exchange: Exchange,
  forwarder: Forwarder,
  trace: RequestTrace,
): Promise<Denied | undefined> {
  const startedMs = trace.elapsedMs();
  try {
    const outcome = await forwarder.forward(authorized, exchange);
    if (outcome.kind === 'refused') return outcome.refusal;
    const { facts } = outcome;
    trace.add({
      status: facts.status,
      bytesOut: facts.bytesOut,
      bytesIn: bytesIn(authorized.request),
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
