import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import {
  type Authenticated,
  type AuthenticationSources,
  authenticateS3,
} from '../authenticate/authenticate.ts';
import { requireSignature } from '../authenticate/scheme.ts';
import { type Authorized, authorizeS3 } from '../authorize/authorize-s3.ts';
import { decisionFacts } from '../authorize/decide.ts';
import type { PolicyGatherer } from '../authorize/gather-policies.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { Forwarder } from '../forward/forward.ts';
import { readDocumentBody, requireNoBody } from '../forward/request-body.ts';
import { lookupKeyPrefixes } from '../s3/condition-keys.ts';
import { maxDocumentBytes, withDocument } from '../s3/document.ts';
import { s3Error } from '../s3/errors.ts';
import { allowsStreaming, type S3Request } from '../s3/operation.ts';
import { type RouteSettings, route } from '../s3/route.ts';
import { sendAnswer } from './answer.ts';
import type { RequestTrace } from './request-trace.ts';

/** Everything one S3 request is handled with; all of one configuration snapshot. */
export interface S3Pipeline {
  readonly routing: RouteSettings;
  readonly authentication: AuthenticationSources;
  readonly policies: PolicyGatherer;
  readonly forwarder: Forwarder;
}

/** The connection a request arrived on. */
export interface ClientConnection {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Tells a client that waits with `Expect: 100-continue` to send its body. */
  readonly invite: () => void;
  /** Headers of every answer, flat name, value, name, value. */
  readonly ownHeaders: readonly string[];
}

/**
 * Takes one S3 request through its stages: route, authenticate, read the document if it has one, authorize,
 * forward. Throws what a stage throws; the caller renders it.
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
  const authenticated = await authenticateS3(claim, allowsStreaming(operation), pipeline.authentication);
  const { arn, accessKeyId } = authenticated.caller;
  trace.add({ principalArn: arn, accessKeyId });
  const complete = await readBody(request, authenticated, connection, pipeline.routing.partition);
  const authorized = authorize(complete, authenticated, pipeline.policies, trace);
  if (authorized.isEmptyBatch) await answerEmptyBatch(authorized, connection, trace);
  else await forward(authorized, connection, pipeline.forwarder, trace);
}

async function readBody(
  request: S3Request,
  { payload }: Authenticated,
  { message, invite }: ClientConnection,
  partition: string,
): Promise<S3Request> {
  const { headers } = request.raw;
  switch (request.operation.body) {
    case 'none':
      requireNoBody(headers, payload);
      return request;
    case 'document': {
      invite();
      const body = await readDocumentBody(message, headers, payload, maxDocumentBytes(request));
      return withDocument(request, body, partition);
    }
    case 'object':
      return request;
  }
}

function authorize(
  request: S3Request,
  authenticated: Authenticated,
  policies: PolicyGatherer,
  trace: RequestTrace,
): Authorized {
  const startedAt = performance.now();
  const result = authorizeS3(request, authenticated, policies, lookupKeyPrefixes);
  const durationUs = (performance.now() - startedAt) * 1000;
  trace.add({ decision: decisionFacts(result.decision, durationUs) });
  const { fault } = result.decision;
  if (fault !== undefined) trace.add({ errorDetail: `deciding failed: ${String(fault)}` });
  if (result.isAllowed) return result;
  throw s3Error('AccessDenied', result.message);
}

async function answerEmptyBatch(
  authorized: Authorized,
  { message, response, ownHeaders }: ClientConnection,
  trace: RequestTrace,
): Promise<void> {
  const body = authorized.request.batch?.writeResult(undefined, authorized.deniedItems) ?? Buffer.alloc(0);
  trace.add({ status: 200, bytesOut: body.length });
  await sendAnswer(message, response, {
    status: 200,
    contentType: 'application/xml',
    body,
    headers: ownHeaders,
  });
}

async function forward(
  authorized: Authorized,
  connection: ClientConnection,
  forwarder: Forwarder,
  trace: RequestTrace,
): Promise<void> {
  const { raw } = authorized.request;
  const scheme = raw.isSecure ? 'https' : 'http';
  const url = `${scheme}://${raw.headers.get('host') ?? ''}${raw.path}`;
  const startedMs = trace.elapsedMs();
  try {
    const { message, response, invite, ownHeaders } = connection;
    const facts = await forwarder.forward(authorized, { message, response, invite, ownHeaders, url });
    trace.add({
      status: facts.status,
      bytesOut: facts.bytesOut,
      bytesIn: bytesIn(authorized.request),
      errorCode: facts.errorCode,
      upstreamRequestId: facts.storeRequestId,
      firstByteMs: facts.firstByteMs === undefined ? undefined : startedMs + facts.firstByteMs,
    });
  } finally {
    trace.add({ upstreamMs: trace.elapsedMs() - startedMs });
  }
}

// A body in HTTP chunks has no length of its own, but its framing declares one. Where there is no body, both headers may
// say anything.
function bytesIn({ operation, raw: { headers } }: S3Request): number {
  if (operation.body === 'none') return 0;
  const declared = headers.get('content-length') ?? headers.get('x-amz-decoded-content-length') ?? '';
  return /^\d{1,15}$/.test(declared) ? Number(declared) : 0;
}
