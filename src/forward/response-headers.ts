import type { Authorized } from '../authorize/authorize-s3.ts';
import { withoutAwsChunked } from '../core/content-encoding.ts';

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
  'date',
  'server',
  'set-cookie',
  'via',
  'x-amz-id-2',
  'x-amz-request-id',
  'x-powered-by',
]);

/** Header fields of the store's answer. */
export type StoreHeaders = readonly (readonly [name: string, value: string])[];

/**
 * Reads what undici parsed: raw bytes, taken as latin1, which is how `node:http` writes them again; anything else
 * would change non-ASCII metadata.
 */
export function readStoreHeaders(rawHeaders: unknown): StoreHeaders {
  const fields: [string, string][] = [];
  if (!Array.isArray(rawHeaders)) return fields;
  const pieces: readonly unknown[] = rawHeaders;
  for (let index = 0; index + 1 < pieces.length; index += 2) {
    fields.push([latin1(pieces[index]).toLowerCase(), latin1(pieces[index + 1])]);
  }
  return fields;
}

function latin1(piece: unknown): string {
  return Buffer.isBuffer(piece) ? piece.toString('latin1') : String(piece);
}

/** The first value of a lower-case name. */
export function storeHeader(headers: StoreHeaders, name: string): string | undefined {
  return headers.find(([field]) => field === name)?.[1];
}

/** The headers of the answer to the client, flat name, value, name, value; `omitted` leaves further ones out. */
export function responseHeaders(
  headers: StoreHeaders,
  authorized: Authorized,
  omitted: ReadonlySet<string> = nothing,
): string[] {
  const dropped = namedByConnection(storeHeader(headers, 'connection'));
  const { guardedHeaders } = authorized.request;
  const kept: string[] = [];
  for (const [name, value] of headers) {
    if (hopByHop.has(name) || replaced.has(name) || dropped.has(name) || omitted.has(name)) continue;
    const guard = guardedHeaders.find(([header]) => header === name);
    if (guard !== undefined && !authorized.permits(guard[1])) continue;
    const shown = shownValue(name, value);
    if (shown !== undefined) kept.push(name, shown);
  }
  return kept;
}

function shownValue(name: string, value: string): string | undefined {
  // Some stores keep the framing's name with the object.
  if (name === 'content-encoding') return withoutAwsChunked(value);
  // Nobody can reach the store by its own name, and nobody should learn it.
  return name === 'location' ? value.replace(/^https?:\/\/[^/?#]*/i, '') || '/' : value;
}

const nothing: ReadonlySet<string> = new Set();

// RFC 9110 section 7.6.1: headers for this hop alone.
function namedByConnection(value: string | undefined): ReadonlySet<string> {
  if (value === undefined || value === 'keep-alive' || value === 'close') return nothing;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}
