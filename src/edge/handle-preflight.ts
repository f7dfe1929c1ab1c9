import { requirePreflight } from '../authorize/preflight.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { requireNoBody } from '../forward/request-body.ts';
import { route } from '../s3/route.ts';
import { sendAnswer } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { S3Pipeline } from './handle-s3.ts';
import type { RequestTrace } from './request-trace.ts';

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
  const { place, preflights, response } = connection;
  const gone = new AbortController();
  const abandon = (): void => gone.abort();
  response.once('close', abandon);
  const { reservation } = place;
  const preflightExchange = { requestId: trace.requestId, reservation, signal: gone.signal };
  const { status, headers, body, errorCode } = await place.waitFor(
    preflights.pass(() => forwarder.preflight(requirePreflight(request), preflightExchange), gone.signal),
    abandon,
  );
  trace.add({ status, bytesOut: body.length, errorCode });
  await sendAnswer(connection, {
    status,
    contentType: 'application/xml',
    body,
    headers: [...connection.ownHeaders, ...headers],
  });
}
