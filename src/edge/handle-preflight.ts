import { requirePreflight } from '../authorize/preflight.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { PreflightAnswer } from '../forward/preflight.ts';
import { requireNoBody } from '../forward/request-body.ts';
import { route } from '../s3/route.ts';
import { sendAnswer } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import { requireAudit, type S3Pipeline } from './perform-s3.ts';
import type { RequestTrace } from './request-trace.ts';

/** How long the store may still take to answer a preflight whose client has left. */
const graceMs = 1_000;

/** True for a CORS-preflight request (Fetch standard). */
export function isPreflight(raw: RawRequest): boolean {
  return raw.method === 'OPTIONS';
}

/**
 * Answers a preflight with the store's answer. A preflight carries no credentials, so it is forwarded unsigned, and
 * without its query, which may be that of a presigned URL.
 * @throws what a stage throws
 */
export async function handlePreflight(
  raw: RawRequest,
  connection: ClientConnection,
  { routing, forwarder }: S3Pipeline,
  trace: RequestTrace,
): Promise<void> {
  // While a body is unread, a disconnect would go unnoticed.
  requireNoBody(raw.headers, { kind: 'unsigned' });
  const request = route({ ...raw, query: '', parameters: [] }, routing);
  trace.add({ operation: request.operation.name, bucket: request.bucket, key: request.key });
  trace.audit?.asks(request);
  requireAudit(trace);
  const { place, response } = connection;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const preflightExchange = {
    requestId: trace.requestId,
    reservation: place.reservation,
    signal: soonAfter(gone.signal),
    traceHeaders: trace.askStore(),
  };
  const ask = (): Promise<PreflightAnswer> =>
    forwarder.preflight(requirePreflight(request), preflightExchange);
  const { status, headers, body, errorCode } = await passGate(connection, ask, gone);
  trace.add({ status, bytesOut: body.length, errorCode });
  await sendAnswer(connection, {
    status,
    contentType: 'application/xml',
    body,
    headers: [...connection.ownHeaders, ...headers],
  });
}

/**
 * Aborts a second after the other signal. A preflight that is under way is not cut off at once, neither for its client nor for other
 * preflights: a flood that leaves early would have none answered, and would cost the store a connection for each.
 */
function soonAfter(signal: AbortSignal): AbortSignal {
  const later = new AbortController();
  signal.addEventListener('abort', () => setTimeout(() => later.abort(), graceMs).unref(), { once: true });
  return later.signal;
}

async function passGate(
  { place, preflights }: ClientConnection,
  ask: () => Promise<PreflightAnswer>,
  gone: AbortController,
): Promise<PreflightAnswer> {
  let enter!: () => void;
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const answered = preflights.pass(ask, gone.signal, enter);
  await place.waitForGate(Promise.race([entered, answered.then(() => undefined)]), () => gone.abort());
  return answered;
}
