import { performance } from 'node:perf_hooks';
import type { Identified } from '../authorize/asker.ts';
import { restAfter } from '../core/turns.ts';
import { readDocumentBody } from '../forward/request-body.ts';
import { maxDocumentBytes, withDocument } from '../s3/document.ts';
import type { S3Request } from '../s3/operation.ts';
import { waitForCallersTurn } from './callers-turn.ts';
import type { ClientConnection } from './client-connection.ts';

/** Bytes reserved for each byte of a document, for its tree and for the answer made from it. */
const documentFactor = 4;

/** Further bytes reserved for each item of a batch: its decision takes this much, however short its key is. */
const bytesPerItem = 192;

/** Documents that are parsed in one turn of the event loop, all together. */
const documentBytesPerTurn = 65_536;

/** The least part of a turn that a document takes. */
const leastShare: number = 1 / 32;

/** Whose document it is, and what its digest must be. */
interface Sender extends Pick<Identified, 'caller' | 'payload' | 'recheck'> {
  /** Looks at the document before it is parsed; throws what it is refused with. */
  readonly look?: (document: Buffer) => void;
}

/**
 * Reads the document of a request whole, verifies it, and adds what it says.
 * @throws what reading and parsing throw, and AuthenticationFault when the session has ended meanwhile
 */
export async function readDocument(
  request: S3Request,
  sender: Sender,
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
    payload: sender.payload,
    checksumsOfAnother: request.operation.checksumsOfAnother === true,
    maxBytes,
    reservation: place.reservation,
    invite,
  });
  // Parsing takes up to tens of milliseconds.
  const share = Math.min(1, Math.max(leastShare, body.length / documentBytesPerTurn));
  const turnOwner = await waitForCallersTurn(sender.caller, response, share);
  // The session may have expired or been revoked while the body arrived.
  sender.recheck(clock.now());
  place.reservation.growTo(body.length * documentFactor);
  const beganAt = performance.now();
  let complete: S3Request;
  try {
    sender.look?.(body);
    complete = withDocument(request, body, partition);
  } finally {
    restAfter(turnOwner, performance.now() - beganAt);
  }
  const items = complete.batch?.items.length ?? 0;
  place.reservation.growTo(body.length * documentFactor + items * bytesPerItem);
  return complete;
}
