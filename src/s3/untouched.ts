import { isIPv4, isIPv6 } from 'node:net';
import { pathsOfKey } from '../core/path-key.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { bucketOfHost } from './addressing.ts';
import { s3Error } from './errors.ts';
import type { S3Request } from './operation.ts';

/** What says which bucket a store finds in the Host header of a request that reaches it as it came. */
export interface UntouchedSettings {
  readonly virtualHosts: readonly string[];
  /** Host and port of the store. */
  readonly storeHost: string;
}

/**
 * Requires that a store cannot read a request in another way than it was classified, when it gets its target and its headers as they
 * came: what is denied under one name must not pass under another.
 * @param arrived the request with all of its parameters and headers
 * @throws `InvalidURI`, `InvalidArgument`, `InvalidRequest`; `NotImplemented` for an operation that some stores take for another one
 */
export function requireUntouched(
  request: S3Request,
  arrived: RawRequest,
  { virtualHosts, storeHost }: UntouchedSettings,
): void {
  requireOneName(arrived.headers.get('host') ?? '', virtualHosts, storeHost);
  requirePlainTarget(request, arrived);
  requireKnownParameters(request, arrived);
  requireEndToEnd(arrived);
  requireNoForm(request, arrived);
  const { operation, copySource, headers } = request;
  // The store cannot be asked beforehand whether it knows the selector, or whether its bucket has object lock.
  const isUncertain = operation.needsLock === true || operation.unlessKnown === 'probe';
  if (isUncertain && operation.method !== 'GET') throw notPassedOn(operation.name);
  if ([...headers.keys()].some((name) => name.startsWith('x-amz-object-lock-')))
    throw notPassedOn(`${operation.name} with object lock`);
  requireOwnValues(headers, arrived);
  const source = arrived.headers.get('x-amz-copy-source');
  if (copySource !== undefined && withoutSlash(source) !== withoutSlash(headers.get('x-amz-copy-source')))
    throw s3Error('InvalidArgument', 'x-amz-copy-source must be percent-encoded as a whole.');
}

/**
 * Requires a document in which every reader finds the same text, before it is parsed. Around a comment, Swift and Garage take the text before
 * it for the whole. A character reference takes ten times as long as a character, and no SDK sends one.
 * @throws MalformedXML
 */
export function requirePlainDocument(document: Buffer): void {
  const text = document
    .toString('latin1')
    .replace(/^(?:\xef\xbb\xbf)?<\?xml(?:\s+\w+=["'][\w.-]*["'])*\s*\?>/, '');
  if (/^\s*[^\s<]|<[!?]|&#/.test(text)) throw s3Error('MalformedXML');
}

// Other languages count U+0085 as white space, too.
const trimmed = /^[\s\u0085]|[\s\u0085]$/;

/**
 * Requires that the document of a request need not be written anew, and names keys that no store reads in another way: some trim them, some
 * read them as paths.
 * @throws `NotImplemented`, `MalformedXML`
 */
export function requireOwnDocument({ operation, isDocumentRewritten, batch }: S3Request): void {
  if (isDocumentRewritten === true) throw notPassedOn(operation.name);
  const keys = batch?.items.flatMap(({ permissions }) => permissions.map(({ object }) => object?.key ?? ''));
  if (keys?.some((key) => trimmed.test(key) || pathsOfKey(key).length > 0) === true)
    throw s3Error('MalformedXML');
}

// What was decided is the value as it was understood: `+` is a space in tags, and Ceph RGW keeps it.
function requireOwnValues(understood: ReadonlyMap<string, string>, { headers }: RawRequest): void {
  for (const [name, value] of understood) {
    const [sent, ...others] = headers.getAll(name);
    // A checksum may stand in the query of a presigned URL, and metadata take no part in any decision.
    if (sent === undefined || name.startsWith('x-amz-meta-')) continue;
    if (name === 'x-amz-copy-source' || name === 'content-encoding') continue;
    if (sent !== value || others.length > 0)
      throw s3Error('InvalidArgument', `The ${name.slice(0, 64)} header could be read in two ways.`);
  }
}

/** The error for what is not passed on, although the store could do it. */
export function notPassedOn(operation: string): Error {
  return s3Error('NotImplemented', `${operation} needs credentials that this endpoint knows.`);
}

// A store may have domains of its own, under which the name of a bucket stands first.
function requireOneName(host: string, virtualHosts: readonly string[], storeHost: string): void {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  // Ceph RGW takes an address with a zone (`%`) for a bucket.
  const isAddress = isIPv4(name) || isIPv6(/^\[([^\]%]+)\]$/.exec(name)?.[1] ?? '');
  const isListed = virtualHosts.includes(name) || host.toLowerCase() === storeHost.toLowerCase();
  // Ceph RGW takes any other name as a whole for the bucket, one without a dot too (RGW 16, 2026-11-30).
  if (bucketOfHost(host, virtualHosts) === undefined && (isAddress || isListed)) return;
  throw s3Error(
    'InvalidRequest',
    'Without credentials that this endpoint knows, the bucket must stand in the path, and Host must be an address or in server.virtualHosts.',
  );
}

const plainPath = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/;
const plainQuery = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@/?]|%[0-9A-Fa-f]{2})*$/;

function requirePlainTarget({ bucket, key }: S3Request, { path, query }: RawRequest): void {
  const isPlain = plainPath.test(path) && plainQuery.test(query) && !/[%\\]/.test(bucket);
  if (!isPlain || pathsOfKey(key).length > 0) throw s3Error('InvalidURI');
}

/** Parameters of a signature, by their lower-case names. A session token is none: it never gets this far. */
const signing =
  /^x-amz-(?:algorithm|content-sha256|credential|date|expires|signature|signedheaders|checksum-[a-z0-9-]+|sdk-checksum-algorithm)$/;

// What is dropped elsewhere would reach the store here.
function requireKnownParameters({ parameters }: S3Request, arrived: RawRequest): void {
  for (const { name } of arrived.parameters) {
    if (parameters.has(name) || name === 'x-id' || signing.test(name.toLowerCase())) continue;
    throw s3Error('InvalidArgument', `The query parameter ${name.slice(0, 64)} is not passed on.`);
  }
}

// Connection could remove a header on the way that was part of the decision.
function requireEndToEnd({ headers }: RawRequest): void {
  for (const { name, value } of headers) {
    if (name !== 'connection' || /^(?:keep-alive|close)?$/i.test(value)) continue;
    throw s3Error('InvalidArgument', 'The Connection header must be keep-alive or close.');
  }
}

/** What clients send documents with; SDKs send `application/xml`. */
const documentType =
  /^(?:(?:application|text)\/xml|(?:application|binary)\/octet-stream|text\/plain)?(?:;\s*charset=utf-8)?$/i;

/** Of an object that is uploaded in parts: any type but that of a form. */
const objectType = /^(?!.*(?:multipart|form-))[ -~]*$/i;

// Some stores look for a form, which names an object of its own, before they look at the query. MinIO trims what Unicode calls white space
// (2026-11-30); SeaweedFS and older MinIO find `multipart/form-dat` anywhere, and take `multipart/mixed` for a form (by their sources).
function requireNoForm({ operation }: S3Request, { method, headers }: RawRequest): void {
  const expected = operation.body === 'document' ? documentType : objectType;
  if (method === 'POST' && headers.getAll('content-type').some((type) => !expected.test(type)))
    throw s3Error('InvalidArgument', 'The Content-Type header could be read as that of a form.');
}

function withoutSlash(source: string | undefined): string | undefined {
  return source?.replace(/^\//, '');
}
