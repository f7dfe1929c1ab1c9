import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { algorithm } from './authorization-header.ts';
import { type Credential, parseBasicDateTime, parseCredential } from './credential-scope.ts';
import { unsignedPayload } from './payload-mode.ts';
import { parseSignedHeaders, type SignedHeaderNames } from './signed-header-names.ts';
import {
  isDayOf,
  maxClockSkewMs,
  readPayloadMode,
  refuseRepeats,
  requireSigned,
  type SignatureRules,
  type SignedRequest,
} from './signed-request.ts';

/** The query parameters of a presigned request, exactly as they are spelled. */
const required = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
] as const;
const optional = ['X-Amz-Security-Token', 'X-Amz-Content-Sha256'] as const;

type ParameterName = (typeof required)[number] | (typeof optional)[number];

const spellings: ReadonlyMap<string, ParameterName> = new Map(
  [...required, ...optional].map((name) => [name.toLowerCase(), name]),
);
// This parameter stands for a header, so its name may be spelled in any case.
const anySpelling: ReadonlySet<ParameterName> = new Set(['X-Amz-Content-Sha256']);

const maxExpiresSeconds = 604_800;

/** True for the name of a parameter that signs a presigned request, in any case. */
export function isPresignedParameter(name: string): boolean {
  return spellings.has(name.toLowerCase());
}

/**
 * Reads the query form of a Signature V4 request and makes every check that needs no secret: each parameter once,
 * spelled exactly; a lifetime of 1 to 604,800 seconds (for STS always 15 minutes) that has begun and is not over; `host` and
 * every `x-amz-*` header signed. The payload is unsigned unless `X-Amz-Content-Sha256` is part of what was signed.
 * Source: AWS "Authenticating Requests: Using Query Parameters".
 * @throws AuthenticationFault
 */
export function readPresignedQuery(raw: RawRequest, rules: SignatureRules): SignedRequest {
  refuseRepeats(raw);
  const values = readParameters(raw, rules);
  if (values.get('X-Amz-Algorithm') === 'AWS4-ECDSA-P256-SHA256')
    throw new AuthenticationFault('signature_v4a');
  if (values.get('X-Amz-Algorithm') !== algorithm) throw malformed(`X-Amz-Algorithm must be ${algorithm}`);
  const { accessKeyId, scope } = readCredential(values.get('X-Amz-Credential'), rules);
  const signedAtMs = parseBasicDateTime(values.get('X-Amz-Date') ?? '');
  if (signedAtMs === undefined) throw malformed('X-Amz-Date must be in the form YYYYMMDDTHHMMSSZ');
  if (!isDayOf(scope, signedAtMs)) throw malformed('the credential date is not the day of X-Amz-Date');
  if (rules.service === 'sts') requireFresh(signedAtMs, raw.receivedAtMs);
  else requireAlive(signedAtMs, readExpires(values.get('X-Amz-Expires')), raw.receivedAtMs);
  const signature = values.get('X-Amz-Signature') ?? '';
  if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed('X-Amz-Signature must be 64 lower-case hex digits');
  const signedHeaders = readSignedHeaders(values.get('X-Amz-SignedHeaders'));
  requireSigned(raw, signedHeaders);
  if (raw.headers.has('x-amz-security-token'))
    throw malformed('the session token must stand in the query, not in a header');
  const payloadHash = readPayloadHash(values.get('X-Amz-Content-Sha256'), raw);
  const declared = rules.payloadHash === 'required' ? (payloadHash ?? unsignedPayload) : payloadHash;
  return {
    raw,
    accessKeyId,
    scope,
    signedHeaders,
    signedParameters: raw.parameters.filter(({ name }) => name !== 'X-Amz-Signature'),
    signature,
    signedAtMs,
    securityToken: values.get('X-Amz-Security-Token'),
    payloadHash: declared,
    payload: declared === undefined ? undefined : readPayloadMode(declared, false),
  };
}

function readParameters(raw: RawRequest, rules: SignatureRules): Map<ParameterName, string> {
  const values = new Map<ParameterName, string>();
  for (const { name, value } of raw.parameters) {
    const known = spellings.get(name.toLowerCase());
    if (known === undefined) continue;
    if (name !== known && !anySpelling.has(known)) throw malformed(`the parameter must be spelled ${known}`);
    if (values.has(known)) throw malformed(`the parameter ${known} is repeated`);
    values.set(known, value);
  }
  const missing = required.filter(
    (name) => (values.get(name) ?? '') === '' && !(name === 'X-Amz-Expires' && rules.service === 'sts'),
  );
  if (missing.length > 0) throw malformed(`a presigned request needs ${missing.join(', ')}`);
  return values;
}

function readCredential(text: string | undefined, rules: SignatureRules): Credential {
  const credential = parseCredential(text ?? '');
  if (credential === undefined) {
    throw malformed('X-Amz-Credential must be access-key-id/YYYYMMDD/region/service/aws4_request');
  }
  if (credential.scope.service !== rules.service) {
    throw malformed(`X-Amz-Credential names the wrong service, expected ${rules.service}`);
  }
  return credential;
}

function readSignedHeaders(text: string | undefined): SignedHeaderNames {
  const names = parseSignedHeaders(text ?? '');
  if (names === undefined) throw malformed('X-Amz-SignedHeaders has an empty or repeated name, or too many');
  return names;
}

function readPayloadHash(inQuery: string | undefined, raw: RawRequest): string | undefined {
  const inHeader = raw.headers.get('x-amz-content-sha256');
  if (inQuery !== undefined && inHeader !== undefined && inQuery !== inHeader) {
    throw malformed('X-Amz-Content-Sha256 has another value than the header of that name');
  }
  return inQuery ?? inHeader;
}

function readExpires(text: string | undefined): number {
  const seconds = /^[1-9]\d{0,5}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(seconds <= maxExpiresSeconds)) {
    throw malformed(`X-Amz-Expires must be a number of seconds from 1 to ${maxExpiresSeconds}`);
  }
  return seconds;
}

// As AWS does: clients ask for a minute and use the URL for 15, as long as a header signature lasts (EKS tokens).
function requireFresh(signedAtMs: number, nowMs: number): void {
  if (Math.abs(signedAtMs - nowMs) <= maxClockSkewMs) return;
  throw new AuthenticationFault('clock_skew', {
    requestTime: new Date(signedAtMs),
    serverTime: new Date(nowMs),
  });
}

function requireAlive(signedAtMs: number, expiresSeconds: number, nowMs: number): void {
  const expiresAtMs = signedAtMs + expiresSeconds * 1000;
  const times = { requestTime: new Date(signedAtMs), serverTime: new Date(nowMs) };
  if (signedAtMs - nowMs > maxClockSkewMs) throw new AuthenticationFault('presigned_not_yet_valid', times);
  if (nowMs >= expiresAtMs) {
    throw new AuthenticationFault('presigned_expired', {
      ...times,
      expiresAt: new Date(expiresAtMs),
      expiresSeconds,
    });
  }
}

function malformed(message: string): AuthenticationFault {
  return new AuthenticationFault('malformed_presigned', { message });
}
