import { requirePreflight } from '../authorize/preflight.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { requireNoBody } from '../forward/request-body.ts';
import { route } from '../s3/route.ts';
import { sendAnswer } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { S3Pipeline } from './handle-s3.ts';
import type { RequestTrace } from './request-trace.ts';

/** True for what a browser asks before it sends the request proper (Fetch standard, "CORS-preflight request"). */
export function isPreflight(raw: RawRequest): boolean {
  return raw.method === 'OPTIONS';
}

/**
 * Answers a preflight with what the store says. Nobody is authenticated, so nothing is signed for it, and whatever else
 * the URL holds (a presigned one holds a signature) is left out. Throws what a stage throws.
 */
export async function handlePreflight(
  raw: RawRequest,
  connection: ClientConnection,
  { routing, forwarder }: S3Pipeline,
  trace: RequestTrace,
): Promise<void> {
  // A client that goes away is not noticed while its body is not read.
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
    preflights.pass(() => forwarder.preflight(requirePreflight(request), preflightExchange)),
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
