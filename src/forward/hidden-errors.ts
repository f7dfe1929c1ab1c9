import type { Authorized } from '../authorize/authorize-s3.ts';
import { MissingHidden, type UpstreamFault } from './faults.ts';
import { ownKeyFault } from './store-error.ts';

/** What else can be missing says nothing about the names of objects. */
const shownWhenMissing: ReadonlySet<string | undefined> = new Set([
  'NoSuchBucket',
  'NoSuchObjectLockConfiguration',
  'NoSuchTagSet',
  'NoSuchUpload',
  'ObjectLockConfigurationNotFoundError',
]);

/**
 * What stands in for an error of the store that the caller may not see: one about the sidecar's own key, or, for a caller
 * who may not list the bucket, a missing object. `undefined` for an error that may be shown.
 */
export function faultBehind(
  { code, status }: { readonly code: string | undefined; readonly status: number },
  authorized: Authorized,
): UpstreamFault | MissingHidden | undefined {
  const fault = ownKeyFault(code);
  if (fault !== undefined || status !== 404 || shownWhenMissing.has(code)) return fault;
  const { seesMissing } = authorized.request;
  return seesMissing === undefined || authorized.permits(seesMissing) ? undefined : new MissingHidden();
}
