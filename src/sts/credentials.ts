import type { Randomness } from '../core/randomness.ts';
import { createAccessKeyId } from '../tokens/access-key-id.ts';
import { deriveSecretAccessKey, seedBytes } from '../tokens/derive-secret.ts';
import type { KeyRing } from '../tokens/key-ring.ts';
import { sealSession } from '../tokens/seal.ts';
import type { OwnerGrant } from './grants/owner-grant.ts';
import type { ProviderGrant } from './grants/provider-grant.ts';
import type { TrustGrant } from './grants/role-grant.ts';
import type { ScopeGrant } from './grants/scope-grant.ts';
import type { SessionPolicies } from './session-policies.ts';

/** What is needed to issue a session. */
export interface Issuer {
  readonly keyRing: KeyRing;
  readonly randomness: Randomness;
  readonly account: { readonly id: string };
}

/** Temporary credentials as every action returns them (AWS STS API Reference, Credentials). */
export interface IssuedCredentials {
  // Lets a response tree hold the credentials as they are.
  readonly [name: string]: string | Date;
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  /** A whole second. */
  readonly Expiration: Date;
}

/** Any proof that a session may exist. */
export type Grant = TrustGrant | OwnerGrant | ProviderGrant | ScopeGrant;

/** What a request says about the token, beside the grant. */
export interface TokenContent extends Pick<SessionPolicies, 'policy' | 'policyArns'> {
  /** The token is padded to at least that many characters. */
  readonly minTokenLength?: number | undefined;
}

/** Credentials, with the session id by which they can be revoked. */
export interface Issued {
  readonly credentials: IssuedCredentials;
  readonly sessionId: string;
}

const sessionIdBytes = 16;

/**
 * Issues temporary credentials for a grant. They are valid from `nowMs`, in milliseconds since the Unix epoch. The token
 * carries the session policies as sent. The secret is derived from a fresh seed and is not stored.
 * @throws TokenTooLargeError
 */
export function issue(
  { principal, durationSeconds, claims }: Grant,
  { policy, policyArns, minTokenLength }: TokenContent,
  { keyRing, randomness, account }: Issuer,
  nowMs: number,
): Issued {
  const sessionId = Buffer.from(randomness.bytes(sessionIdBytes)).toString('base64url');
  const accessKeyId = createAccessKeyId('ASIA', account.id, randomness);
  const seed = randomness.bytes(seedBytes);
  const issuedAt = Math.floor(nowMs / 1000);
  const expiresAt = issuedAt + durationSeconds;
  const sessionToken = sealSession(
    {
      sessionId,
      accessKeyId,
      seed,
      principal,
      issuedAt,
      expiresAt,
      policyArns,
      ...claims,
      ...(policy === undefined ? {} : { policy }),
    },
    keyRing,
    minTokenLength,
  );
  const credentials = {
    AccessKeyId: accessKeyId,
    SecretAccessKey: deriveSecretAccessKey(keyRing.sealWith, seed, accessKeyId).reveal(),
    SessionToken: sessionToken,
    Expiration: new Date(expiresAt * 1000),
  };
  return { credentials, sessionId };
}
