import type { Authorized } from '../authorize/authorize-s3.ts';
import { withoutAwsChunked } from '../core/content-encoding.ts';
import { UpstreamFault } from './faults.ts';

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

/** What the store must not tell the client, or the sidecar says itself. */
const replaced: ReadonlySet<string> = new Set([
  // Both lead clients to another address.
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

/** The first value of a lower-case name. */
export function storeHeader(headers: StoreHeaders, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/**
 * Refuses a document in a content coding such as gzip, which is never asked for: a list of objects, or an error under a
 * 200, could hide in it.
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

/** The headers of the answer to the client, flat name, value, name, value; `omitted` leaves further ones out. */
export function responseHeaders(
  headers: StoreHeaders,
  authorized: Authorized,
  omitted: ReadonlySet<string> = nothing,
): string[] {
  const dropped = namedByConnection(headers);
  const { guardedHeaders } = authorized.request;
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (hopByHop.has(name) || replaced.has(name) || dropped.has(name) || omitted.has(name)) continue;
    const guard = guardedHeaders.find(([header]) => header === name);
    if (guard !== undefined && !authorized.permits(guard[1])) continue;
    const shown = shownValue(name, headers[index + 1] ?? '');
    if (shown === undefined) continue;
    // Behind the length Node encodes the bytes of this header anew (Node 20 to 24): a file name that is not ASCII would change.
    if (name === 'content-disposition') kept.unshift(name, shown);
    else kept.push(name, shown);
  }
  return kept;
}

function shownValue(name: string, value: string): string | undefined {
  // Some stores keep the framing's name with the object.
  if (name === 'content-encoding') return withoutAwsChunked(value);
  return name === 'location' || name === 'content-location' ? withoutAddress(value) : value;
}

/**
 * A reference without scheme and host: the store cannot be reached by its own name, and no client should learn it.
 * Back slashes count as slashes, as browsers read them, so that what is left is a path in any case.
 */
function withoutAddress(reference: string): string {
  const rest = reference.replace(/^(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}[^/\\?#]*/i, '').replace(/^[/\\]+/, '/');
  return rest === '' ? '/' : rest;
}

const nothing: ReadonlySet<string> = new Set();

// RFC 9110 section 7.6.1: headers for this hop alone, named by any line of the field.
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
