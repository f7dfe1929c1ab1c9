import { missingHidden, type StoreRefusalError, type UpstreamFault } from './faults.ts';
import { isPassedOn, type Relayed } from './relayed.ts';
import { ownKeyFault } from './store-error.ts';

/** Codes of a 404 that is not about an object, and so reveals no names of objects. */
const shownWhenMissing: ReadonlySet<string | undefined> = new Set([
  'NoSuchBucket',
  'NoSuchObjectLockConfiguration',
  'NoSuchTagSet',
  'NoSuchUpload',
  'ObjectLockConfigurationNotFoundError',
]);

/**
 * Returns the fault to answer with when the caller may not see an error of the store: one about the sidecar's own key, or
 * about a missing object when the caller may not list the buckets concerned, which must have been decided. Returns `undefined`
 * for any other error.
 */
export function faultBehind(
  { code, status }: { readonly code: string | undefined; readonly status: number },
  authorized: Relayed,
): UpstreamFault | StoreRefusalError | undefined {
  if (isPassedOn(authorized)) return undefined;
  const fault = ownKeyFault(code);
  if (fault !== undefined || status !== 404 || shownWhenMissing.has(code)) return fault;
  const { seesMissing } = authorized.request;
  return seesMissing.every((permission) => authorized.permits(permission))
    ? undefined
    : missingHidden(status);
}
