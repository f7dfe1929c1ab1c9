import { assumedRoleArn } from '../authenticate/caller.ts';
import type { Randomness } from '../core/randomness.ts';
import type { Secret } from '../core/secret.ts';
import { createAccessKeyId } from '../tokens/access-key-id.ts';
import { deriveSecretAccessKey, seedBytes } from '../tokens/derive-secret.ts';
import type { KeyRing } from '../tokens/key-ring.ts';
import { sealSession } from '../tokens/seal.ts';
import type { SessionPolicies } from './session-policies.ts';
import type { TrustGrant } from './trust-policy.ts';

/** What sessions are made with. */
export interface Issuer {
  readonly keyRing: KeyRing;
  readonly randomness: Randomness;
  readonly accountId: string;
  /** The instant of issue, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/** Temporary credentials and whom they make of their holder. */
export interface IssuedSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: string;
  /** A whole second. */
  readonly expiration: Date;
  readonly assumedRoleArn: string;
  /** `AROA…:<session name>` */
  readonly assumedRoleId: string;
}

const sessionIdBytes = 16;

/**
 * Issues temporary credentials for what a trust grant proves. The token carries the session policies as sent; the
 * secret is derived from a fresh seed and is stored nowhere.
 */
export async function issue(
  grant: TrustGrant,
  { policy, policyArns }: SessionPolicies,
  { keyRing, randomness, accountId, nowMs }: Issuer,
): Promise<IssuedSession> {
  const { role, sessionName, federation } = grant;
  const accessKeyId = createAccessKeyId('ASIA', accountId, randomness);
  const seed = randomness.bytes(seedBytes);
  const issuedAt = Math.floor(nowMs / 1000);
  const expiresAt = issuedAt + grant.durationSeconds;
  const sessionToken = await sealSession(
    {
      sessionId: Buffer.from(randomness.bytes(sessionIdBytes)).toString('base64url'),
      accessKeyId,
      seed,
      principal: { kind: 'role-session', roleArn: role.arn, roleId: role.roleId, sessionName },
      issuedAt,
      expiresAt,
      policyArns,
      tags: [],
      ...(policy === undefined ? {} : { policy }),
      ...(federation === undefined ? {} : { federation }),
    },
    keyRing,
  );
  return {
    accessKeyId,
    secretAccessKey: deriveSecretAccessKey(keyRing.sealWith, seed, accessKeyId),
    sessionToken,
    expiration: new Date(expiresAt * 1000),
    assumedRoleArn: assumedRoleArn(role, sessionName),
    assumedRoleId: `${role.roleId}:${sessionName}`,
  };
}
