import type { Identified } from '../authorize/asker.ts';
import { refuseBatch } from '../authorize/refuse-batch.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { readDocumentBody, requireNoBody } from '../forward/request-body.ts';
import { maxDocumentBytes, withDocument } from '../s3/document.ts';
import type { S3Request } from '../s3/operation.ts';
import { route } from '../s3/route.ts';
import { waitForCallersTurn } from './callers-turn.ts';
import type { ClientConnection } from './client-connection.ts';
import { claimOf, identify } from './identify.ts';
import { authorize, performS3, refuse, requireAudit, type S3Pipeline } from './perform-s3.ts';
import type { RequestTrace } from './request-trace.ts';

/** Bytes reserved for each byte of a document, for its tree and for the answer made from it. */
const documentFactor = 4;

/** Further bytes reserved for each item of a batch: its decision takes this much, however short its key is. */
const bytesPerItem = 192;

/** Documents that are parsed in one turn of the event loop, all together. */
const documentBytesPerTurn = 65_536;

/** The least part of a turn that a document takes. */
const leastShare: number = 1 / 32;

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

async function readDocument(
  request: S3Request,
  identified: Identified,
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
    payload: identified.payload,
    checksumsOfAnother: request.operation.checksumsOfAnother === true,
    maxBytes,
    reservation: place.reservation,
    invite,
  });
  // Parsing takes up to tens of milliseconds.
  const share = Math.min(1, Math.max(leastShare, body.length / documentBytesPerTurn));
  await waitForCallersTurn(identified.caller, response, share);
  // The session may have expired or been revoked while the body arrived.
  identified.recheck(clock.now());
  place.reservation.growTo(body.length * documentFactor);
  const complete = withDocument(request, body, partition);
  const items = complete.batch?.items.length ?? 0;
  place.reservation.growTo(body.length * documentFactor + items * bytesPerItem);
  return complete;
}
