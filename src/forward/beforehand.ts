import type { Authorized } from '../authorize/authorize-s3.ts';
import { pathsOfKey } from '../core/path-key.ts';
import type { Asking } from './asking.ts';
import { requireSource } from './copied-source.ts';
import { requireUpload } from './existing-upload.ts';
import { requireLockable } from './lockable-bucket.ts';
import { requireSeparateVersions } from './separate-versions.ts';

/**
 * Some store carries out a copy, a completed upload, a lock, or a new version under an odd key although it should
 * refuse it. Returns the questions that show beforehand whether there is a reason to; `undefined` when there are none to ask. They
 * throw when the store would have to refuse the request:
 *
 * - `StoreRefusalError`: what the store should have answered
 * - `UpstreamFault`
 */
export function questionsBeforehand(authorized: Authorized): ((asking: Asking) => Promise<void>) | undefined {
  const { operation, bucket, copySource } = authorized.request;
  if (operation.method === 'GET' || operation.method === 'HEAD') return undefined;
  const completesUpload = operation.completesUpload === true;
  const isLocked = locksObject(authorized);
  const odd = oddKeys(authorized);
  if (copySource === undefined && !completesUpload && !isLocked && odd.length === 0) return undefined;
  return async (asking) => {
    if (copySource !== undefined) await requireSource(authorized, copySource, asking);
    if (completesUpload) await requireUpload(authorized, asking);
    if (isLocked) await requireLockable(bucket, asking);
    for (const key of odd) await requireSeparateVersions(bucket, key, asking);
  };
}

function locksObject({ request: { operation, headers } }: Authorized): boolean {
  if (operation.needsLock === true) return true;
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
