import type { ServiceError } from '../core/service-error.ts';
import { s3Error } from './errors.ts';
import type { S3Operation } from './operation.ts';

/**
 * True for a plain header that may go with the operation. Reads take all of HTTP's conditions, and reads of an object's
 * bytes also ranges (RFC 9110, sections 13 and 14). Some writes take `If-Match` and `If-None-Match: *`, as on AWS.
 * Every other condition is refused: a store that ignores it would lose an object, and one that obeys it would reveal
 * facts about the object that the operation does not show.
 * @throws `NotImplemented`, as AWS does; `InvalidArgument` for a write on the condition of an empty ETag
 */
export function suitsMethod(name: string, value: string, operation: S3Operation): boolean {
  const { method, scope, action, takesRange } = operation;
  const isPartial = name === 'range' || name === 'if-range';
  if (method === 'GET' || method === 'HEAD') return !isPartial || takesRange === true;
  switch (name) {
    case 'range':
    case 'if-range':
      return false;
    case 'if-match':
      if (scope !== 'object' || !unlessChanged.has(action)) throw conditionRefused(name, operation);
      if (!namesETag(value)) throw s3Error('InvalidArgument', 'The If-Match header names no ETag.');
      return true;
    case 'if-none-match':
      if (action === 's3:PutObject' && value === '*') return true;
      throw conditionRefused(name, operation);
    case 'if-modified-since':
    case 'if-unmodified-since':
      throw conditionRefused(name, operation);
    default:
      return true;
  }
}

/**
 * True for `*` and for an ETag that is not empty, or a list with one. MinIO and versitygw take a write on the condition of an empty
 * one for a write without a condition (observed on 2026-11-30).
 */
export function namesETag(value: string): boolean {
  return /[^\s",]/.test(value.replaceAll('W/', ''));
}

const unlessChanged: ReadonlySet<string | undefined> = new Set(['s3:PutObject', 's3:DeleteObject']);

function conditionRefused(name: string, operation: S3Operation): ServiceError {
  return s3Error(
    'NotImplemented',
    `This form of the header ${name} is not implemented for ${operation.name}.`,
  );
}
