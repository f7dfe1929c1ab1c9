import type { Authorized } from '../authorize/authorize-s3.ts';
import { withoutAwsChunked } from '../core/content-encoding.ts';
import type { AnswerHead } from '../http-client/answer-head.ts';
import { UpstreamFault } from './faults.ts';
import { isOfMissing } from './hidden-errors.ts';
import type { Relayed } from './relayed.ts';

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that the client must not get from the store, or that the sidecar sets itself. */
const replaced: ReadonlySet<string> = new Set([
  // Both send clients to another address.
  'alt-svc',
  'refresh',
  'date',
  'server',
  'set-cookie',
  'via',
  'x-amz-id-2',
  'x-amz-request-id',
  'x-powered-by',
]);

/** Header fields of the store's answer, flat: name in lower case, value, name, value. */
export type StoreHeaders = readonly string[];

/** Returns the first value of a header; `name` is in lower case. */
export function storeHeader(headers: StoreHeaders, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/**
 * Refuses a document in a content coding such as gzip: a list of objects, or an error under a 200, could hide in it. The
 * sidecar never sends `Accept-Encoding`.
 *
 * @throws UpstreamFault `protocol`
 */
export function requireReadable({ headers }: { readonly headers: StoreHeaders }): void {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] !== 'content-encoding') continue;
    const coding = withoutAwsChunked(headers[index + 1] ?? '');
    if (coding !== undefined && coding !== '' && coding.toLowerCase() !== 'identity')
      throw new UpstreamFault('protocol', 'the store answered in a content coding');
  }
}

type Permissions = Parameters<Authorized['decide']>[0];

/** The permissions on which it depends what the client gets to see of an answer. */
export function permissionsToShow({ status, headers }: AnswerHead, { request }: Relayed): Permissions {
  const { guardedHeaders, seesMissing } = request;
  let needed: Permissions = isOfMissing(status, request) ? seesMissing : none;
  if (guardedHeaders.length === 0) return needed;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const guard = guardOf(headers[index] ?? '', guardedHeaders);
    if (guard !== undefined) needed = [...needed, guard];
  }
  return needed;
}

const none: Permissions = [];

function guardOf(
  name: string,
  guardedHeaders: Authorized['request']['guardedHeaders'],
): Permissions[number] | undefined {
  if (!name.startsWith('x-amz-')) return undefined;
  return guardedHeaders.find(([header]) => header === name)?.[1];
}

/**
 * Returns the store's headers that the client gets, flat: name, value, name, value; without those `omitted`. What is needed to
 * show them must have been decided.
 */
export function responseHeaders(
  headers: StoreHeaders,
  authorized: Relayed,
  omitted: ReadonlySet<string> = nothing,
): string[] {
  const { guardedHeaders } = authorized.request;
  const isHidden = (name: string): boolean => {
    const guard = guardOf(name, guardedHeaders);
    return guard !== undefined && !authorized.permits(guard);
  };
  return relayedHeaders(headers, isHidden, omitted);
}

/** The store's headers without those that no client gets, and those that are hidden or omitted. */
export function relayedHeaders(
  headers: StoreHeaders,
  isHidden: (name: string) => boolean,
  omitted: ReadonlySet<string> = nothing,
): string[] {
  const dropped = namedByConnection(headers);
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (hopByHop.has(name) || replaced.has(name) || dropped.has(name) || omitted.has(name)) continue;
    if (isHidden(name)) continue;
    const shown = shownValue(name, headers[index + 1] ?? '');
    if (shown === undefined) continue;
    // After `Content-Length`, Node re-encodes the value of this header (Node 20 to 24), which garbles a non-ASCII file name.
    if (name === 'content-disposition') kept.unshift(name, shown);
    else kept.push(name, shown);
  }
  return kept;
}

function shownValue(name: string, value: string): string | undefined {
  // Some stores keep `aws-chunked` as metadata of the object.
  if (name === 'content-encoding') return withoutAwsChunked(value);
  return name === 'location' || name === 'content-location' ? withoutAddress(value) : value;
}

/**
 * Removes scheme and host from a reference, so that clients do not learn the store's address. Backslashes count as slashes,
 * as in browsers: what remains is always a path.
 */
function withoutAddress(reference: string): string {
  const rest = reference.replace(/^(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}[^/\\?#]*/i, '').replace(/^[/\\]+/, '/');
  return rest === '' ? '/' : rest;
}

const nothing: ReadonlySet<string> = new Set();

// Hop-by-hop headers, named by any `Connection` line (RFC 9110 section 7.6.1).
function namedByConnection(headers: StoreHeaders): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const value = headers[index + 1] ?? '';
    if (headers[index] !== 'connection' || value === 'keep-alive' || value === 'close') continue;
    names ??= new Set();
    for (const name of value.split(',')) names.add(name.trim().toLowerCase());
  }
  return names ?? nothing;
}
