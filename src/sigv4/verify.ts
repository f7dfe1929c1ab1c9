import { AuthenticationFault } from '../core/authentication-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { Secret } from '../core/secret.ts';
import { parseAuthorizationHeader } from './authorization-header.ts';
import { canonicalRequest } from './canonical-request.ts';
import { type CredentialScope, formatBasicDateTime, parseBasicDateTime } from './credential-scope.ts';
import { type PayloadMode, parsePayloadMode } from './payload-mode.ts';
import { computeSignature, type SigningKeyCache } from './signing-key.ts';
import { stringToSign } from './string-to-sign.ts';

/** A request that claims a signature: parsed and plausible, not yet verified. */
export interface SignedRequest {
  readonly raw: RawRequest;
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`, as it enters the string to sign. */
  readonly timestamp: string;
  /** The session token the caller sent, if any. */
  readonly securityToken: string | undefined;
  /** What `x-amz-content-sha256` says; absent only where the service makes it optional. */
  readonly payload: PayloadMode | undefined;
}

/** What a service demands of its signed requests. */
export interface SignatureRules {
  /** The service name of the credential scope. */
  readonly service: 's3' | 'sts';
  /** S3 demands `x-amz-content-sha256`; STS requests are buffered, so it hashes the body itself. */
  readonly payloadHash: 'required' | 'optional';
  /** True for the operations that may carry an aws-chunked body. */
  readonly allowsStreaming: boolean;
}

/** AWS's limit on the difference between the request's and the server's clock. */
export const maxClockSkewMs = 900_000;

const authorizationHeaders = [
  'authorization',
  'host',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'content-type',
  'x-amz-decoded-content-length',
];

/**
 * Reads the header form of a Signature V4 request and makes every check that needs no secret: shape,
 * scope, date, skew, and that `host` and every `x-amz-*` header are signed (re-signing would launder the rest).
 * Throws {@link AuthenticationFault}. Order of checks: AWS S3, observed 2026-11.
 */
export function readSignedRequest(raw: RawRequest, rules: SignatureRules): SignedRequest {
  for (const name of authorizationHeaders) {
    if (raw.headers.count(name) > 1) {
      throw new AuthenticationFault('duplicate_header', { message: `the ${name} header is repeated` });
    }
  }
  const authorization = parseAuthorizationHeader(raw.headers.get('authorization') ?? '');
  const { accessKeyId, scope } = authorization.credential;
  if (scope.service !== rules.service) {
    throw new AuthenticationFault('malformed_authorization', {
      message: `the credential scope names the wrong service, expected ${rules.service}`,
    });
  }
  const timestamp = readTimestamp(raw, scope);
  const payload = readPayloadMode(raw, rules);
  requireSigned(raw, authorization.signedHeaders);
  return {
    raw,
    accessKeyId,
    scope,
    signedHeaders: authorization.signedHeaders,
    signature: authorization.signature,
    timestamp,
    securityToken: raw.headers.get('x-amz-security-token'),
    payload,
  };
}

function readTimestamp(raw: RawRequest, scope: CredentialScope): string {
  const requestMs = requestTime(raw);
  if (requestMs === undefined) throw new AuthenticationFault('date_missing');
  const timestamp = formatBasicDateTime(requestMs);
  if (!timestamp.startsWith(scope.date)) throw new AuthenticationFault('scope_date_mismatch');
  if (Math.abs(requestMs - raw.receivedAtMs) > maxClockSkewMs) {
    throw new AuthenticationFault('clock_skew', {
      requestTime: new Date(requestMs),
      serverTime: new Date(raw.receivedAtMs),
    });
  }
  return timestamp;
}

function requestTime(raw: RawRequest): number | undefined {
  const amzDate = raw.headers.get('x-amz-date');
  if (amzDate !== undefined) return parseBasicDateTime(amzDate);
  const date = raw.headers.get('date');
  if (date === undefined || raw.headers.count('date') > 1) return undefined;
  return parseBasicDateTime(date) ?? parseHttpDate(date);
}

// IMF-fixdate only (RFC 9110 section 5.6.7): `Date.parse` would accept local times and worse.
function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

function readPayloadMode(raw: RawRequest, rules: SignatureRules): PayloadMode | undefined {
  const value = raw.headers.get('x-amz-content-sha256');
  if (value === undefined) {
    if (rules.payloadHash === 'optional') return undefined;
    throw new AuthenticationFault('payload_hash_missing');
  }
  const mode = parsePayloadMode(value);
  if (mode === undefined) throw new AuthenticationFault('payload_hash_invalid');
  if (mode.kind === 'streaming') {
    throw new AuthenticationFault(rules.allowsStreaming ? 'streaming_unsupported' : 'streaming_not_allowed');
  }
  return mode;
}

function requireSigned(raw: RawRequest, signedHeaders: readonly string[]): void {
  const signed = new Set(signedHeaders.map((name) => name.toLowerCase()));
  const unsigned = new Set<string>();
  for (const { name } of raw.headers) {
    if ((name === 'host' || name.startsWith('x-amz-')) && !signed.has(name)) unsigned.add(name);
  }
  if (!signed.has('host')) unsigned.add('host');
  if (unsigned.size > 0)
    throw new AuthenticationFault('headers_not_signed', { headersNotSigned: [...unsigned] });
}

/**
 * Verifies the signature with the secret that belongs to the access key. `payloadHash` is what the client
 * declared, or the body's own digest where the protocol hashes it.
 * Throws {@link AuthenticationFault} `signature_mismatch` with the canonical request and string to sign this side
 * computed, the session token's value redacted; never the expected signature.
 */
export function verifySignature(
  request: SignedRequest,
  secret: Secret,
  payloadHash: string,
  keys: SigningKeyCache,
): void {
  const { raw, scope, timestamp, accessKeyId } = request;
  const canonical = canonicalRequest({
    method: raw.method,
    path: raw.path,
    parameters: raw.parameters,
    headers: raw.headers,
    signedHeaders: request.signedHeaders,
    payloadHash,
  });
  if (canonical === undefined) {
    throw new AuthenticationFault('signature_mismatch', {
      accessKeyId,
      detail: 'a signed header is absent or the path is malformed',
    });
  }
  const toSign = stringToSign(timestamp, scope, canonical);
  const { key, keep } = keys.find(secret, scope);
  if (equalBytes(computeSignature(key, toSign), Buffer.from(request.signature, 'hex'))) {
    keep();
    return;
  }
  const token = request.securityToken;
  throw new AuthenticationFault('signature_mismatch', {
    accessKeyId,
    stringToSign: toSign,
    canonicalRequest: token === undefined ? canonical : canonical.replaceAll(token, '[redacted]'),
  });
}
