import { AuthenticationFault } from '../core/authentication-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { Secret } from '../core/secret.ts';
import { algorithm } from './authorization-header.ts';
import { type CredentialScope, parseBasicDateTime, parseCredential } from './credential-scope.ts';
import { isDayOf, maxClockSkewMs } from './signed-request.ts';
import type { SigningKeyCache } from './signing-key.ts';

/** A form that claims a signature: parsed and plausible, not yet verified. */
export interface SignedForm {
  readonly raw: RawRequest;
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Milliseconds since the Unix epoch. */
  readonly signedAtMs: number;
  readonly securityToken: string | undefined;
  /** The policy in base64, which is what was signed. */
  readonly policy: string;
  readonly signature: string;
}

const required = ['policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature'] as const;
/** Fields of Signature V2. */
const ofV2 = ['awsaccesskeyid', 'signature'];

/** AWS's limit on how long a signing key is used. */
const maxAgeMs = 604_800_000;

/**
 * Reads the signature of a POST form and makes every check that needs no secret. How long the form lasts is said by its policy.
 * Source: AWS "Authenticating Requests: Browser-Based Uploads Using POST".
 * @param fields by lower-case name
 * @throws AuthenticationFault
 */
export function readFormSignature(raw: RawRequest, fields: ReadonlyMap<string, string>): SignedForm {
  // A policy alone claims no signature.
  const isSigned = required.some((name) => name !== 'policy' && fields.has(name));
  if (ofV2.some((name) => fields.has(name))) throw new AuthenticationFault('signature_v2');
  if (!isSigned) throw new AuthenticationFault('no_credentials');
  const value = (name: (typeof required)[number]): string => {
    const found = fields.get(name) ?? '';
    if (found === '') throw malformed(`Bucket POST must contain a field named '${name}'.`);
    return found;
  };
  const [policy, named, credential, date, signature] = required.map(value);
  if (named === 'AWS4-ECDSA-P256-SHA256') throw new AuthenticationFault('signature_v4a');
  if (named !== algorithm) throw malformed(`x-amz-algorithm must be ${algorithm}`);
  const parsed = parseCredential(credential ?? '');
  if (parsed === undefined || parsed.scope.service !== 's3')
    throw malformed('x-amz-credential must be access-key-id/YYYYMMDD/region/s3/aws4_request');
  const signedAtMs = parseBasicDateTime(date ?? '');
  if (signedAtMs === undefined) throw malformed('x-amz-date must be in the form YYYYMMDDTHHMMSSZ');
  if (!isDayOf(parsed.scope, signedAtMs)) throw malformed('the credential date is not the day of x-amz-date');
  if (!/^[0-9a-f]{64}$/.test(signature ?? ''))
    throw malformed('x-amz-signature must be 64 lower-case hex digits');
  requireUsable(signedAtMs, raw.receivedAtMs);
  return {
    raw,
    accessKeyId: parsed.accessKeyId,
    scope: parsed.scope,
    signedAtMs,
    securityToken: fields.get('x-amz-security-token'),
    policy: policy ?? '',
    signature: signature ?? '',
  };
}

/**
 * Verifies that the policy was signed with the secret that belongs to the access key.
 * @throws AuthenticationFault `signature_mismatch`, without the policy, which can hold the session token
 */
export function verifyFormSignature(form: SignedForm, secret: Secret, keys: SigningKeyCache): void {
  const { policy, signature, scope, accessKeyId } = form;
  const { key, keep } = keys.find(secret, scope);
  if (equalBytes(Buffer.from(key.sign(policy), 'latin1'), Buffer.from(signature, 'latin1'))) {
    keep();
    return;
  }
  throw new AuthenticationFault('signature_mismatch', { accessKeyId });
}

function requireUsable(signedAtMs: number, nowMs: number): void {
  const times = { requestTime: new Date(signedAtMs), serverTime: new Date(nowMs) };
  if (signedAtMs - nowMs > maxClockSkewMs) throw new AuthenticationFault('presigned_not_yet_valid', times);
  if (nowMs - signedAtMs > maxAgeMs) throw new AuthenticationFault('presigned_expired', times);
}

function malformed(message: string): AuthenticationFault {
  return new AuthenticationFault('malformed_form', { message });
}
