import { withoutAwsChunked } from '../core/content-encoding.ts';
import { collapseOws } from '../core/header-list.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { ServiceError } from '../core/service-error.ts';
import { suitsMethod } from './conditional-headers.ts';
import { s3Error } from './errors.ts';
import { valueRules } from './header-values.ts';
import type { S3Operation } from './operation.ts';
import type { OperationRow } from './operations/index.ts';

/**
 * Plain HTTP headers that are forwarded; all others are dropped. `Accept` is not among them: Ceph RGW 16 would answer in
 * JSON, and the checks of its answers read XML.
 */
const forwarded: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  // Tells the store to add the CORS headers of its answer.
  'origin',
  'range',
  'user-agent',
]);

/** `x-amz-*` headers of any operation; those of one stand in its row. */
const forwardedAmz: ReadonlySet<string> = new Set([
  'x-amz-checksum-algorithm',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-md5',
  'x-amz-checksum-mode',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-sha512',
  'x-amz-checksum-type',
  'x-amz-checksum-xxhash128',
  'x-amz-checksum-xxhash3',
  'x-amz-checksum-xxhash64',
  'x-amz-request-payer',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-md5',
]);
/** Checksums of bodies that cannot be computed here: a store that does not know them either would keep a wrong object. */
const unverifiable: ReadonlySet<string> = new Set([
  'x-amz-checksum-xxhash128',
  'x-amz-checksum-xxhash3',
  'x-amz-checksum-xxhash64',
]);
const metadataPrefix = 'x-amz-meta-';

/** `x-amz-*` headers that end here: credentials, and those between the client and this hop. */
const consumed: ReadonlySet<string> = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-te',
  'x-amz-trailer',
  'x-amz-user-agent',
]);

// The SDK for C++ sends it with every request, and with it pyarrow and others that are built on it. S3 has one version.
const apiVersionHeader = 'x-amz-api-version';
const apiVersion = '2006-03-01';

const ownerHeaders: ReadonlySet<string> = new Set([
  'x-amz-expected-bucket-owner',
  'x-amz-source-expected-bucket-owner',
]);

/** Whether a request expects a bucket to belong to another account. Such a request may not be forwarded. */
export function expectsOtherOwner({ headers }: RawRequest, accountId: string): boolean {
  for (const { name, value } of headers) if (ownerHeaders.has(name) && value !== accountId) return true;
  return false;
}

// Private extensions of stores. Sent with the store's own key, they could do more than the operation allows.
const vendorPrefixes = [
  'x-minio-',
  'x-rgw',
  'x-ceph',
  'seaweed-',
  'x-seaweed',
  'x-vgw-',
  'x-garage-',
  'x-swift-',
];

// A MinIO extension: the store unpacks an archive into many keys under one decision.
const snowball = 'x-amz-meta-snowball-auto-extract';

/** Only lists whose joined form means the same may be repeated. The Go SDK sends one line per attribute. */
const repeatable: ReadonlySet<string> = new Set([
  'cache-control',
  'x-amz-object-attributes',
  'x-amz-optional-object-attributes',
]);

/**
 * Picks the headers to forward, by lower-case name. Refuses vendor headers, repeated ones, any `x-amz-*` that the
 * operation does not know, values that could be read in two ways, and a `Connection` that names what is forwarded.
 * White space is collapsed as it was for the signature, so that a store has nothing left to collapse.
 * @throws `InvalidArgument`, `NotImplemented`, `InvalidDigest`, `MissingContentLength`
 */
export function selectHeaders(raw: RawRequest, row: OperationRow): ReadonlyMap<string, string> {
  const selected = new Map<string, string>();
  const ofThisHop = namedByConnection(raw);
  for (const { name, value: sent } of raw.headers) {
    if (!isForwarded(name, sent, row)) continue;
    if (ofThisHop.has(name)) throw namedForThisHop(name);
    const value = collapseOws(sent);
    if (value === '' && isAbsentWhenEmpty(name)) continue;
    const earlier = selected.get(name);
    if (earlier === undefined) selected.set(name, value);
    else if (repeatable.has(name) || name.startsWith(metadataPrefix))
      selected.set(name, `${earlier},${value}`);
    else throw s3Error('InvalidArgument', `The ${name} header is repeated.`);
  }
  const encoding = selected.get('content-encoding');
  if (encoding !== undefined) replace(selected, 'content-encoding', withoutAwsChunked(encoding));
  const contentMd5 = selected.get('content-md5');
  if (contentMd5 !== undefined && !isMd5(contentMd5)) throw s3Error('InvalidDigest');
  for (const name of row.ruledHeaders) {
    const value = selected.get(name);
    if (value !== undefined) replace(selected, name, valueRules.get(name)?.(name, value));
  }
  return selected;
}

const nothing: ReadonlySet<string> = new Set();

// A header that Connection names ends at this hop (RFC 9110 section 7.6.1). Connection is not signed: the holder of a presigned
// URL, or a proxy in between, could use it to remove a header that the signer requires.
function namedByConnection({ headers }: RawRequest): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (const { name, value } of headers) {
    if (name !== 'connection' || value === 'keep-alive' || value === 'close') continue;
    names ??= new Set();
    for (const option of value.split(',')) names.add(option.trim().toLowerCase());
  }
  return names ?? nothing;
}

// 16 bytes in base64. The last four bits of the final character are padding, and zero.
function isMd5(text: string): boolean {
  return /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(text);
}

function replace(headers: Map<string, string>, name: string, value: string | undefined): void {
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
}

function isForwarded(name: string, value: string, { operation, headers }: OperationRow): boolean {
  if (!name.startsWith('x-amz-')) {
    if (forwarded.has(name)) return suitsMethod(name, value, operation);
    if (vendorPrefixes.some((prefix) => name.startsWith(prefix))) throw notAccepted(name);
    return false;
  }
  if (consumed.has(name)) {
    const isLength = name === 'x-amz-decoded-content-length' && operation.body === 'object';
    if (isLength && !/^\d{1,15}$/.test(value)) throw s3Error('MissingContentLength');
    return false;
  }
  if (name === apiVersionHeader && value === apiVersion) return false;
  if (name === snowball) throw notAccepted(name);
  if (ownerHeaders.has(name)) return false;
  const isKnown = headers.has(name) || forwardedAmz.has(name) || name.startsWith(metadataPrefix);
  if (isKnown && !(unverifiable.has(name) && hasOwnChecksum(operation))) return true;
  throw s3Error(
    'NotImplemented',
    `The header ${name.slice(0, 64)} is not implemented for ${operation.name}.`,
  );
}

function hasOwnChecksum({ body, checksumsOfAnother }: S3Operation): boolean {
  return body !== 'none' && checksumsOfAnother !== true;
}

function namedForThisHop(name: string): ServiceError {
  return s3Error(
    'InvalidArgument',
    `The Connection header names ${name.slice(0, 64)}, which is not for one hop.`,
  );
}

/**
 * True for a header that means nothing when it is empty. Stores take it for absent, so policies must too: a Deny of what lacks
 * `x-amz-server-side-encryption` would pass an empty one, and the store would keep the object in clear.
 * @throws InvalidArgument for a condition: its sender believes that there is one
 */
function isAbsentWhenEmpty(name: string): boolean {
  if (!name.startsWith('x-amz-') || name.startsWith(metadataPrefix)) return false;
  // An absent key id is that of the store, which is what an empty one means to its sender.
  if (/^x-amz-(?:[a-z-]+-)?(?:if-|server-side-encryption(?!-aws-kms-key-id))/.test(name))
    throw s3Error('InvalidArgument', `The header ${name.slice(0, 64)} is empty.`);
  // These have rules of their own, which refuse an empty value.
  return !valueRules.has(name) && !name.startsWith('x-amz-checksum-');
}

function notAccepted(name: string): ServiceError {
  return s3Error('InvalidArgument', `The header ${name.slice(0, 64)} is not accepted here.`);
}
