import type { HeaderList } from '../core/header-list.ts';
import type { QueryParameter } from '../core/request-target.ts';
import { percentDecode, uriEncode, uriEncodeBytes } from '../core/uri-encode.ts';
import type { SignedHeaderNames } from './signed-header-names.ts';

/** What a canonical request is built from; nothing is normalised beyond what Signature V4 itself does. */
export interface CanonicalParts {
  readonly method: string;
  /** The raw path. */
  readonly path: string;
  readonly parameters: readonly Pick<QueryParameter, 'name' | 'value'>[];
  readonly headers: HeaderList;
  readonly signedHeaders: SignedHeaderNames;
  /** The value of `x-amz-content-sha256`, or the body's own digest. */
  readonly payloadHash: string;
}

/**
 * The canonical request of Signature V4 for S3 (one level of encoding, no dot-segment removal, no slash
 * collapsing). `undefined` when the path has malformed percent-encoding or a listed header is absent.
 */
export function canonicalRequest(parts: CanonicalParts): string | undefined {
  const path = canonicalPath(parts.path);
  const headers = canonicalHeaders(parts.headers, parts.signedHeaders);
  if (path === undefined || headers === undefined) return undefined;
  const query = canonicalQuery(parts.parameters);
  return `${parts.method}\n${path}\n${query}\n${headers}\n${parts.signedHeaders.text}\n${parts.payloadHash}`;
}

const plainPath = /^[A-Za-z0-9\-._~/]*$/;

/**
 * Decodes a raw path once and encodes it once; `/` stays, so `%2F` and `/` are the same to a signature. `undefined` for malformed
 * percent-encoding.
 */
export function canonicalPath(rawPath: string): string | undefined {
  if (plainPath.test(rawPath)) return rawPath;
  const bytes = percentDecode(rawPath);
  return bytes === undefined ? undefined : uriEncodeBytes(bytes, true);
}

/** Encodes, then sorts by name and value; repeats are kept, a missing `=` is an empty value. */
export function canonicalQuery(parameters: readonly { name: string; value: string }[]): string {
  if (parameters.length === 0) return '';
  const pairs = parameters.map(({ name, value }) => [uriEncode(name), uriEncode(value)] as const);
  pairs.sort(([leftName, leftValue], [rightName, rightValue]) =>
    leftName === rightName ? compare(leftValue, rightValue) : compare(leftName, rightName),
  );
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function canonicalHeaders(headers: HeaderList, { lowerCase }: SignedHeaderNames): string | undefined {
  let canonical = '';
  for (const name of lowerCase) {
    const joined = headers.joined(name);
    if (joined === undefined) return undefined;
    canonical += `${name}:${joined}\n`;
  }
  return canonical;
}
