import type { Mapping } from '../core/mapping.ts';
import { IdentityFault } from './identity-fault.ts';
import type { UnverifiedToken } from './unverified-token.ts';

/** How far the provider's clock may be ahead of this one. The expiry has no such tolerance. */
const maxClockAheadSeconds = 60;
/** Longest subject (OpenID Connect Core 1.0, section 2; AWS STS, SubjectFromWebIdentityToken). */
const maxSubjectLength = 255;

/**
 * Checks `exp`, `iat` and `nbf` (RFC 7519, section 4.1), in seconds, which may have fractions. Returns the expiry in whole
 * seconds.
 * @throws IdentityFault
 */
export function checkTimes(claims: Mapping, nowMs: number): number {
  const now = Math.floor(nowMs / 1000);
  const expiresAt = requireTime(claims, 'exp');
  const issuedAt = requireTime(claims, 'iat');
  const notBefore = claims['nbf'] === undefined ? issuedAt : requireTime(claims, 'nbf');
  if (nowMs / 1000 >= expiresAt) {
    throw new IdentityFault(
      'expired',
      `Token expired: current date/time ${now} must be before the expiration date/time ${Math.floor(expiresAt)}`,
    );
  }
  const earliest = Math.max(issuedAt, notBefore);
  if (nowMs / 1000 + maxClockAheadSeconds < earliest) {
    throw new IdentityFault(
      'not_yet_valid',
      `Token not yet valid: current date/time ${now} must be after the issue and not-before date/time ${Math.floor(earliest)}`,
    );
  }
  return Math.floor(expiresAt);
}

function requireTime(claims: Mapping, name: string): number {
  const value = claims[name];
  if (value === undefined) throw missing(name);
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new IdentityFault('bad_claims', `The claim ${name} must be a number of seconds`);
}

/**
 * Returns the token's `sub`.
 * @throws IdentityFault
 */
export function requireSubject(claims: Mapping): string {
  const subject = claims['sub'];
  if (subject === undefined) throw missing('sub');
  if (typeof subject === 'string' && subject !== '' && subject.length <= maxSubjectLength) return subject;
  throw new IdentityFault(
    'bad_claims',
    `The claim sub must be a string of 1 to ${maxSubjectLength} characters`,
  );
}

/**
 * Checks `iss` once more, in the provider whose keys verify the token.
 * @throws IdentityFault
 */
export function requireIssuer(token: UnverifiedToken, issuer: string): void {
  if (token.issuer === issuer) return;
  throw new IdentityFault('unknown_issuer', 'The token was issued by another provider');
}

/** The fault for a token without an accepted audience. */
export function wrongAudience(): IdentityFault {
  return new IdentityFault('wrong_audience', 'Incorrect token audience');
}

function missing(name: string): IdentityFault {
  return new IdentityFault('bad_claims', `Missing a required claim: ${name}`);
}
