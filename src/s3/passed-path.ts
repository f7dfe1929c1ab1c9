import type { RawRequest } from '../core/raw-request.ts';
import { bucketOfHost } from './addressing.ts';
import { s3Error } from './errors.ts';

/** What says which paths are handed to the store. */
export interface PathSettings {
  readonly virtualHosts: readonly string[];
  /** Beginnings of raw paths (`backend.passthrough`). */
  readonly prefixes: readonly string[];
}

/** True for a GET or HEAD of a path that is handed to the store as it is. A Host that names a bucket makes the path a key. */
export function isPassedPath(
  { method, path, headers }: RawRequest,
  { virtualHosts, prefixes }: PathSettings,
): boolean {
  if (prefixes.length === 0 || (method !== 'GET' && method !== 'HEAD')) return false;
  return (
    prefixes.some((prefix) => path.startsWith(prefix)) &&
    bucketOfHost(headers.get('host') ?? '', virtualHosts) === undefined
  );
}

const plainPath = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]+(?:\/|$))*$/;
const plainQuery = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/;

/**
 * Requires a path that every store reads in the same way: without escapes, empty and dot segments, and backslashes.
 * @throws InvalidURI
 */
export function requirePlainPath({ path, query }: Pick<RawRequest, 'path' | 'query'>): void {
  const isPlain = plainPath.test(path) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(path) && plainQuery.test(query);
  if (!isPlain) throw s3Error('InvalidURI');
}
