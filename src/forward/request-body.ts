import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import type { Reservation } from '../core/byte-budget.ts';
import { equalBytes } from '../core/bytes.ts';
import type { HeaderList } from '../core/header-list.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import type { VerifiablePayload } from '../sigv4/verifiable-payload.ts';
import { consumeBody, wholeBodyMs } from './consume-body.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { HeaderChecks } from './header-checks.ts';

/**
 * Reads `Content-Length`, which every body needs unless its own framing declares a length.
 * @throws BodyFault `length_missing`, `length_invalid`
 */
export function declaredLength(headers: HeaderList): number {
  const values = headers.getAll('content-length');
  if (values.length === 0 || headers.has('transfer-encoding')) throw new BodyFault('length_missing');
  return parseLength(values);
}

/**
 * Reads the values of a length header: one number of at most 15 digits.
 * @throws BodyFault `length_invalid`
 */
export function parseLength(values: readonly string[]): number {
  const [value = ''] = values;
  if (values.length !== 1 || !/^\d{1,15}$/.test(value)) throw new BodyFault('length_invalid');
  return Number(value);
}

/**
 * Refuses the body of an operation that takes none, and any digest but that of the empty body.
 * @throws BodyFault
 */
export function requireNoBody(headers: HeaderList, payload: VerifiablePayload): void {
  const length = headers.has('content-length') ? declaredLength(headers) : 0;
  if (length > 0 || headers.has('transfer-encoding')) throw new BodyFault('unexpected');
  if (payload.kind === 'digest' && payload.sha256 !== emptySha256) throw new BodyFault('digest_mismatch');
}

/** A small document, not yet read. */
export interface ArrivingDocument {
  readonly headers: HeaderList;
  readonly payload: VerifiablePayload;
  /** True when `x-amz-checksum-*` are checksums of something else, such as the object to be completed. */
  readonly checksumsOfAnother: boolean;
  readonly maxBytes: number;
  /** Accounts for the bytes. */
  readonly reservation: Reservation;
  /** Sends `100 Continue`; called once the headers of the body have been accepted. */
  readonly invite: () => void;
}

/**
 * Reads a small document whole, and verifies its digest, `Content-MD5` and `x-amz-checksum-*`.
 * @throws BodyFault
 * @throws BudgetExhaustedError
 */
export async function readDocumentBody(
  message: IncomingMessage,
  { headers, payload, checksumsOfAnother, maxBytes, reservation, invite }: ArrivingDocument,
): Promise<Buffer> {
  // Without either header there is no document. AWS, MinIO and Ceph require a length for documents too.
  const hasBody = headers.has('content-length') || headers.has('transfer-encoding');
  if (hasBody && declaredLength(headers) > maxBytes) throw new BodyFault('document_too_large');
  const checks = new HeaderChecks(documentChecks(headers, checksumsOfAnother));
  invite();
  const body = await collect(message, maxBytes, reservation);
  if (payload.kind === 'digest') {
    const digest = createHash('sha256').update(body).digest();
    if (!equalBytes(digest, Buffer.from(payload.sha256, 'hex'))) throw new BodyFault('digest_mismatch');
  }
  checks.update(body);
  checks.finish();
  return body;
}

function* documentChecks(headers: HeaderList, isMd5Only: boolean): Generator<readonly [string, string]> {
  for (const { name, value } of headers) {
    if (!isMd5Only || name === 'content-md5') yield [name, value];
  }
}

/**
 * Reads a whole body of at most `maxBytes`. The bytes count against the reservation until it is released.
 *
 * @throws BodyFault `document_too_large`, and those of {@link consumeBody}
 * @throws BudgetExhaustedError
 */
export async function collect(
  message: IncomingMessage,
  maxBytes: number,
  reservation: Reservation,
  deadlineMs: number = wholeBodyMs,
): Promise<Buffer> {
  const announced = Number(message.headers['content-length'] ?? maxBytes);
  if (announced > maxBytes) throw new BodyFault('document_too_large');
  const kept = new GrowingBuffer(reservation, announced);
  await consumeBody(
    message,
    (piece) => {
      if (!kept.push(piece)) throw new BodyFault('document_too_large');
    },
    deadlineMs,
  );
  return kept.bytes();
}
