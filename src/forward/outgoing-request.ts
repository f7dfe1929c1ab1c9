import { createHash } from 'node:crypto';
import type { Authorized } from '../authorize/authorize-s3.ts';
import type { HeaderField } from '../core/header-list.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { canonicalQuery } from '../sigv4/canonical-request.ts';
import { unsignedPayload, unsignedTrailer } from '../sigv4/payload-mode.ts';
import { type SigningCredentials, signRequest } from '../sigv4/sign.ts';
import type { SigningKeyCache } from '../sigv4/signing-key.ts';
import { hasTrailer } from '../sigv4/verifiable-payload.ts';
import type { OutgoingBody, TrailerMode } from './object-body.ts';

/** The store's address, and the long-term key that requests to it are signed with. */
export interface StoreTarget {
  /** The value of the Host header. */
  readonly host: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
  readonly trailers: TrailerMode;
}

/** The head of a request to the store, signed. */
export interface OutgoingHead {
  readonly method: string;
  /** Path and query as they are sent. */
  readonly target: string;
  /** Flat: name, value, name, value. */
  readonly headers: string[];
}

/** The time to sign with, and the cache of derived keys. */
export interface Signing {
  readonly keys: SigningKeyCache;
  readonly nowMs: number;
}

// Digests of the client's document. They do not match the document that is written in its place.
const digestHeaders = /^(content-md5|x-amz-checksum-.+|x-amz-sdk-checksum-algorithm)$/;

/**
 * Builds the request to the store from what was authorized, and from nothing else, and signs it with the store's key.
 */
export function buildOutgoing(
  authorized: Authorized,
  body: OutgoingBody,
  store: StoreTarget,
  signing: Signing,
): OutgoingHead {
  const { operation, bucket, key, parameters: accepted } = authorized.request;
  const path = storePath(bucket, key);
  const parameters = [...accepted].map(([name, value]) => ({ name, value }));
  const headers = outgoingHeaders(authorized, body);
  const payloadHash = outgoingPayloadHash(authorized, body);
  return signHead({ method: operation.method, path, parameters, headers, payloadHash }, store, signing);
}

/** A request to the store before it is signed; `headers` without `host`. */
interface UnsignedHead {
  readonly method: string;
  /** Percent-encoded, as it is sent. */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  readonly headers: readonly HeaderField[];
  readonly payloadHash: string;
}

/** Signs a request with the store's key. */
export function signHead(
  { method, path, parameters, headers, payloadHash }: UnsignedHead,
  store: StoreTarget,
  signing: Signing,
): OutgoingHead {
  const query = canonicalQuery(parameters);
  const signed = signRequest(
    { method, path, parameters, headers: [{ name: 'host', value: store.host }, ...headers], payloadHash },
    store.credentials,
    { region: store.region, service: 's3', nowMs: signing.nowMs },
    signing.keys,
  );
  const flat: string[] = [];
  for (const { name, value } of signed) flat.push(name, value);
  return { method, target: query === '' ? path : `${path}?${query}`, headers: flat };
}

function outgoingHeaders({ request, document, payload }: Authorized, body: OutgoingBody): HeaderField[] {
  const isRewritten = request.batch !== undefined || request.isDocumentRewritten === true;
  const losesTrailer = hasTrailer(payload) && body.framing === undefined;
  const headers: HeaderField[] = [];
  for (const [name, value] of request.headers) {
    if (isRewritten && digestHeaders.test(name)) continue;
    // Without the trailer no checksum follows the body.
    if (losesTrailer && name === 'x-amz-sdk-checksum-algorithm') continue;
    if (name === 'content-encoding' && body.framing !== undefined) continue;
    headers.push({ name, value });
  }
  if (isRewritten && document !== undefined) {
    headers.push({ name: 'content-md5', value: createHash('md5').update(document).digest('base64') });
  }
  if (body.framing !== undefined) {
    const encoding = request.headers.get('content-encoding');
    headers.push(
      { name: 'content-encoding', value: encoding === undefined ? 'aws-chunked' : `aws-chunked,${encoding}` },
      { name: 'x-amz-decoded-content-length', value: String(body.framing.decodedLength) },
      { name: 'x-amz-trailer', value: body.framing.trailerName },
    );
  }
  const { body: kind, method } = request.operation;
  // RFC 9110 section 8.6; Ceph RGW 16 refuses PUT and POST without it, even where there is no body.
  if (kind !== 'none' || method === 'PUT' || method === 'POST')
    headers.push({ name: 'content-length', value: String(body.length) });
  return headers;
}

function outgoingPayloadHash({ document, payload }: Authorized, { framing }: OutgoingBody): string {
  if (document !== undefined) return createHash('sha256').update(document).digest('hex');
  if (framing !== undefined) return unsignedTrailer;
  return payload.kind === 'digest' ? payload.sha256 : unsignedPayload;
}

/** The path at the store, always in path style: the store need not know the sidecar's virtual hosts. */
export function storePath(bucket: string, key: string): string {
  if (bucket === '') return '/';
  return key === '' ? `/${bucket}` : `/${bucket}/${uriEncode(key, true)}`;
}
