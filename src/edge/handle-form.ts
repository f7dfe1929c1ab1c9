import { type Authenticated, authenticateForm } from '../authenticate/authenticate.ts';
import { claimsOf } from '../authenticate/caller.ts';
import { requireFormOnly } from '../authenticate/scheme.ts';
import { turnOwnerOf } from '../authorize/asker.ts';
import { BodyFault } from '../core/body-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { closingLength, readFormHead } from '../forward/form-file.ts';
import { declaredLength } from '../forward/request-body.ts';
import { s3Error } from '../s3/errors.ts';
import { readDelimiter } from '../s3/form/boundary.ts';
import { type FormFields, FormReader, maxBytesBeforeFile } from '../s3/form/form-fields.ts';
import { postAnswer } from '../s3/form/post-answer.ts';
import { requirePolicy } from '../s3/form/post-policy.ts';
import { bucketOfForm, expandFields, fieldsAsStored, putRequestOf } from '../s3/form/put-request.ts';
import type { S3Request } from '../s3/operation.ts';
import { route } from '../s3/route.ts';
import { waitForCallersTurn } from './callers-turn.ts';
import type { ClientConnection } from './client-connection.ts';
import { strangerBodyMs } from './limits.ts';
import { performS3, type S3Pipeline } from './perform-s3.ts';
import type { RequestTrace } from './request-trace.ts';
import { stopReading } from './stop-reading.ts';

/** Bytes before the files of the forms that are handled in one turn of the event loop, all together. One of 6 KB takes 0.8 ms. */
const formBytesPerTurn = 16_384;

/** What a form takes of a turn besides: as much as any request of a caller. */
const leastShare: number = 1 / 32;

/**
 * Takes a form that a browser posts to a bucket through its stages: read the fields, authenticate, check the policy, then authorize and
 * forward the PutObject that it stands for, whose body is the file. Until the signature of the policy has been verified the form is a
 * stranger's: at most 20 KB of it are read, for at most ten seconds.
 * @throws what a stage throws; the caller renders it
 */
export async function handleForm(
  raw: RawRequest,
  connection: ClientConnection,
  pipeline: S3Pipeline,
  trace: RequestTrace,
): Promise<void> {
  const bucket = bucketOfForm(raw, pipeline.routing.virtualHosts);
  trace.add({ operation: 'PostObject', bucket });
  if (raw.headers.count('content-type') > 1)
    throw s3Error('InvalidArgument', 'The content-type header is repeated.');
  const delimiter = readDelimiter(raw);
  requireFormOnly(raw);
  const length = declaredLength(raw.headers);
  const head = await readFields(delimiter, connection);
  const lineDelimiter = Buffer.from(`\r\n${delimiter}`, 'latin1');
  const fileLength = length - head.fileStart - closingLength(lineDelimiter);
  if (fileLength < 0) throw new BodyFault('form_continues');
  const toRequest = (): RawRequest => putRequestOf(raw, expandFields(head), fileLength);
  const form = { raw, fields: head.fields, delimiter: lineDelimiter, toRequest };
  const authenticated = await authenticateForm(form, pipeline.authentication);
  const { caller } = authenticated;
  const { arn, accessKeyId } = caller;
  trace.add({ principalArn: arn, accessKeyId, sessionId: claimsOf(caller)?.sessionId });
  trace.audit?.knows(caller, authenticated);
  connection.place.admit(turnOwnerOf(caller), true);
  await waitForCallersTurn(caller, connection.response, leastShare + head.fileStart / formBytesPerTurn);
  authenticated.recheck(connection.clock.now());
  const request = routePut(authenticated, pipeline);
  trace.add({ key: request.key });
  trace.audit?.asks(request);
  const { receivedAtMs } = raw;
  const fields = expandFields(head);
  const stored = fieldsAsStored(fields, request);
  requirePolicy(fields.get('policy') ?? '', { fields: stored, bucket, fileLength, receivedAtMs });
  await performS3(request, authenticated, pipeline, {
    connection: { ...connection, invite: () => undefined },
    trace,
    success: (url, etag) => postAnswer({ fields, bucket, key: request.key, url }, etag),
  });
}

function readFields(delimiter: string, { message, place, invite }: ClientConnection): Promise<FormFields> {
  // The credentials are in the body.
  invite();
  const reader = new FormReader(delimiter);
  const reading = readFormHead(message, {
    reservation: place.reservation,
    maxBytes: maxBytesBeforeFile,
    deadlineMs: strangerBodyMs,
    read: (bytes) => reader.read(bytes),
  });
  return place.waitFor(reading, () => stopReading(message, new BodyFault('incomplete')));
}

// A field could name the source of a copy.
function routePut({ raw }: Authenticated, { routing }: S3Pipeline): S3Request {
  const request = route(raw, routing);
  if (request.operation.name === 'PutObject') return request;
  throw s3Error('InvalidArgument', 'A field of the form belongs to another operation.');
}
