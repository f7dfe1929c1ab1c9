import { refuseBatch } from '../authorize/refuse-batch.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { requireNoBody } from '../forward/request-body.ts';
import { route } from '../s3/route.ts';
import type { ClientConnection } from './client-connection.ts';
import { claimOf, identify } from './identify.ts';
import { leaveToStore, passOnS3 } from './pass-on.ts';
import { authorize, performS3, refuse, requireAudit, type S3Pipeline } from './perform-s3.ts';
import { readDocument } from './read-document.ts';
import type { RequestTrace } from './request-trace.ts';

/**
 * Takes one S3 request through its stages: route, identify, read the document if it has one, authorize, forward.
 * @throws what a stage throws; the caller renders it
 */
export async function handleS3(
  raw: RawRequest,
  connection: ClientConnection,
  pipeline: S3Pipeline,
  trace: RequestTrace,
): Promise<void> {
  const claim = claimOf(raw, pipeline);
  const request = route(claim?.request ?? raw, pipeline.routing);
  const { operation, bucket, key } = request;
  trace.add({ operation: operation.name, bucket, key });
  trace.audit?.asks(request);
  const left = leaveToStore(request, claim, pipeline, connection.place.client);
  if (left !== undefined) return passOnS3(request, left, pipeline, { connection, trace });
  const identifying = identify(request, claim, pipeline, { place: connection.place, trace });
  const identified = identifying instanceof Promise ? await identifying : identifying;
  requireAudit(trace);
  const refusing = refuseBatch(request, identified, pipeline.authorization, connection.response);
  const refused = refusing instanceof Promise ? await refusing : refusing;
  if (refused !== undefined) throw refuse(refused, identified, pipeline, trace);
  // A document that is only passed on does not affect the decision, so a denied one is not invited with 100 Continue.
  if (operation.document !== undefined && operation.document.read === undefined)
    await authorize(request, identified, pipeline, { connection, trace });
  const complete =
    operation.body === 'document'
      ? await readDocument(request, identified, connection, pipeline.routing.partition)
      : request;
  if (operation.body === 'none') requireNoBody(raw.headers, identified.payload);
  await performS3(complete, identified, pipeline, { connection, trace });
}
