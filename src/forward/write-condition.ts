import type { Authorized } from '../authorize/authorize-s3.ts';
import { type Asking, askStore, unclearAnswer } from './asking.ts';
import { StoreRefusalError } from './faults.ts';
import { faultBehind } from './hidden-errors.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';

/** True for a write with a condition on the object that it replaces. */
export function hasCondition({ request: { operation, headers } }: Authorized): boolean {
  const isWrite = operation.makesVersion === true && operation.method !== 'DELETE';
  return isWrite && (headers.get('if-none-match') === '*' || headers.has('if-match'));
}

/**
 * Refuses a write whose condition does not hold. In a bucket with versioning, Ceph RGW 16 ignores `If-None-Match: *` of
 * PutObject, so that a policy which demands it protects nothing; versitygw 1.8 takes the ETag of a deleted object for one
 * that matches (observed on 2026-11-29). The store compares ETags itself.
 *
 * What others write after the question is left to the store. It cannot be asked again before the last bytes of a long body:
 * MinIO locks the object from the head of a conditional upload to its end.
 *
 * @throws StoreRefusalError `PreconditionFailed` where there is an object and should be none; `NoSuchKey` for the opposite, or
 * `AccessDenied` for a caller who may not know
 * @throws UpstreamFault when the answer does not tell
 */
export async function requireCondition(authorized: Authorized, asking: Asking): Promise<void> {
  const { bucket, key, headers } = authorized.request;
  const { status } = await askStore(asking, { method: 'HEAD', bucket, key });
  if (status === 404) {
    if (headers.has('if-match')) await requireBucketMissing(authorized, asking);
  } else if (!found.has(status)) throw unclearAnswer(status, 'an object');
  else if (headers.has('if-none-match')) {
    const text = 'At least one of the pre-conditions you specified did not hold';
    throw new StoreRefusalError('PreconditionFailed', 412, text);
  }
}

/** 400 for an object that is encrypted with a key of its writer. */
const found = new Set([200, 400]);

// The answer to a HEAD has no code. Where there is no bucket, the store's own answer to the request tells the client.
async function requireBucketMissing(authorized: Authorized, asking: Asking): Promise<void> {
  const { bucket, key } = authorized.request;
  const headers = [{ name: 'range', value: 'bytes=0-0' }];
  const { status, body } = await askStore(asking, { method: 'GET', bucket, key, headers });
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (status !== 404) throw unclearAnswer(status, 'an object');
  if (code === 'NoSuchBucket') return;
  const hidden = faultBehind({ code: 'NoSuchKey', status }, authorized);
  throw hidden ?? new StoreRefusalError('NoSuchKey', 404, 'The specified key does not exist.');
}
