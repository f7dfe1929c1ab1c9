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

/** True for an answer about an object that is missing: stores say 405 where its last version is a delete marker. */
export function isOfMissing(status: number, { key, parameters }: Relayed['request']): boolean {
  return status === 404 || (status === 405 && key !== '' && !parameters.has('versionId'));
}

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
  const { request } = authorized;
  if (fault !== undefined || !isOfMissing(status, request) || shownWhenMissing.has(code)) return fault;
  const { seesMissing } = request;
  return seesMissing.every((permission) => authorized.permits(permission))
    ? undefined
    : missingHidden(status);
}
