import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { parseAuthorizationHeader } from './authorization-header.ts';
import { type CredentialScope, parseBasicDateTime } from './credential-scope.ts';
import {
  isDayOf,
  maxClockSkewMs,
  readPayloadMode,
  refuseRepeats,
  requireSigned,
  type SignatureRules,
  type SignedRequest,
} from './signed-request.ts';

/**
 * Reads the header form of a Signature V4 request and makes every check that needs no secret: shape,
 * scope, date, skew, and that `host` and every `x-amz-*` header are signed.
 * Order of checks: AWS S3, observed 2026-11.
 * @throws AuthenticationFault
 */
export function readHeaderSignature(raw: RawRequest, rules: SignatureRules): SignedRequest {
  refuseRepeats(raw);
  const authorization = parseAuthorizationHeader(raw.headers.get('authorization') ?? '');
  const { accessKeyId, scope } = authorization.credential;
  if (scope.service !== rules.service) {
    throw new AuthenticationFault('malformed_authorization', {
      message: `the credential scope names the wrong service, expected ${rules.service}`,
    });
  }
  const signedAtMs = readSigningTime(raw, scope);
  const payloadHash = raw.headers.get('x-amz-content-sha256');
  if (payloadHash === undefined && rules.payloadHash === 'required') {
    throw new AuthenticationFault('payload_hash_missing');
  }
  const payload = payloadHash === undefined ? undefined : readPayloadMode(payloadHash, rules.allowsStreaming);
  requireSigned(raw, authorization.signedHeaders);
  return {
    raw,
    accessKeyId,
    scope,
    signedHeaders: authorization.signedHeaders,
    signedParameters: raw.parameters,
    signature: authorization.signature,
    signedAtMs,
    securityToken: raw.headers.get('x-amz-security-token'),
    payloadHash,
    payload,
  };
}

function readSigningTime(raw: RawRequest, scope: CredentialScope): number {
  const requestMs = requestTime(raw);
  if (requestMs === undefined) throw new AuthenticationFault('date_missing');
  if (!isDayOf(scope, requestMs)) throw new AuthenticationFault('scope_date_mismatch');
  if (Math.abs(requestMs - raw.receivedAtMs) > maxClockSkewMs) {
    throw new AuthenticationFault('clock_skew', {
      requestTime: new Date(requestMs),
      serverTime: new Date(raw.receivedAtMs),
    });
  }
  return requestMs;
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
