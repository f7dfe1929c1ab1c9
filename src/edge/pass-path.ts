import { requireNoAwsCredentials } from '../authenticate/scheme.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { requireNoBody } from '../forward/request-body.ts';
import { requirePlainPath } from '../s3/passed-path.ts';
import type { ClientConnection } from './client-connection.ts';
import { requireAudit, type S3Pipeline, sendToStore } from './perform-s3.ts';
import type { RequestTrace } from './request-trace.ts';

/** As long as a key can be. */
const maxShownPath = 1024;

/**
 * Hands a GET or HEAD below one of `backend.passthrough` to the store. It is no request of S3: nothing of it is decided or signed, and
 * credentials of AWS do not get there. It is a stranger's for every limit.
 * @throws what a stage throws; the caller renders it
 */
export async function handlePassedPath(
  raw: RawRequest,
  connection: ClientConnection,
  { forwarder }: S3Pipeline,
  trace: RequestTrace,
): Promise<void> {
  trace.add({ operation: 'Passthrough', caller: 'passthrough', key: raw.path.slice(0, maxShownPath) });
  requirePlainPath(raw);
  requireNoAwsCredentials(raw);
  requireNoBody(raw.headers, { kind: 'unsigned' });
  const { place, message, response, ownHeaders } = connection;
  place.admitAnonymous(place.client, true);
  requireAudit(trace);
  await sendToStore(undefined, connection, trace, () =>
    forwarder.passPath(raw, { message, response, ownHeaders, traceHeaders: trace.askStore() }),
  );
}
