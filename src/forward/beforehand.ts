import type { Authorized } from '../authorize/authorize-s3.ts';
import { pathsOfKey } from '../core/path-key.ts';
import type { Asking } from './asking.ts';
import { requireSource } from './copied-source.ts';
import { requireUpload } from './existing-upload.ts';
import { requireLockable } from './lockable-bucket.ts';
import { requireSeparateVersions } from './separate-versions.ts';

/**
 * True for a request that some store carries out although it should refuse it, so that the store is asked beforehand whether
 * there is a reason to: a copy, a completed upload, a new object with a lock, a new version under an odd key.
 */
export function needsQuestions(authorized: Authorized): boolean {
  const { operation, copySource } = authorized.request;
  if (operation.method === 'GET' || operation.method === 'HEAD') return false;
  return (
    copySource !== undefined ||
    operation.completesUpload === true ||
    locksObject(authorized) ||
    oddKeys(authorized).length > 0
  );
}

/**
 * Asks the store, and throws when it would have to refuse the request.
 *
 * @throws StoreRefusal what the store should have answered
 * @throws UpstreamFault
 */
export async function askBeforehand(authorized: Authorized, asking: Asking): Promise<void> {
  const { operation, bucket, copySource } = authorized.request;
  if (copySource !== undefined) await requireSource(authorized, copySource, asking);
  if (operation.completesUpload === true) await requireUpload(authorized, asking);
  if (locksObject(authorized)) await requireLockable(bucket, asking);
  for (const key of oddKeys(authorized)) await requireSeparateVersions(bucket, key, asking);
}

function locksObject({ request: { headers } }: Authorized): boolean {
  for (const name of headers.keys()) if (name.startsWith('x-amz-object-lock-')) return true;
  return false;
}

/** The keys that get a new version, or lose one, and are not written as a file system would write them. */
function oddKeys({ request, deniedItems }: Authorized): readonly string[] {
  const { operation, key, batch } = request;
  if (operation.makesVersion !== true) return none;
  if (batch === undefined) return isOdd(key) ? [key] : none;
  const denied = new Set(deniedItems);
  const keys = batch.items.flatMap(({ permissions: [needed] }, index) =>
    denied.has(index) || needed?.object === undefined ? [] : [needed.object.key],
  );
  return keys.filter(isOdd);
}

const none: readonly never[] = [];

function isOdd(key: string): boolean {
  return pathsOfKey(key).length > 0;
}
