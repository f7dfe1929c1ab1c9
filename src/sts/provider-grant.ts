import { assumedRoleArn } from '../authenticate/caller.ts';
import type { Role } from '../directory/role.ts';
import type { CustomTokenIdentity } from '../identity/custom-token-identity.ts';
import type { RoleSessionPrincipal, SessionClaims } from '../tokens/session-claims.ts';
import { stsError } from './errors.ts';
import { defaultDurationSeconds } from './trust-decision.ts';

type GrantedClaims = Pick<SessionClaims, 'tags' | 'federation' | 'policyNames'>;

class GrantOfProvider {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #provider: string;
  readonly principal: RoleSessionPrincipal;
  readonly durationSeconds: number;
  /** What the session carries beside its policies. */
  readonly claims: GrantedClaims;
  /** As the answer says it. */
  readonly assumedRoleUser: { readonly Arn: string; readonly AssumedRoleId: string };

  constructor(
    provider: string,
    role: Role,
    session: { readonly name: string; readonly durationSeconds: number; readonly claims: GrantedClaims },
  ) {
    this.#provider = provider;
    this.principal = {
      kind: 'role-session',
      roleArn: role.arn,
      roleId: role.roleId,
      sessionName: session.name,
    };
    this.durationSeconds = session.durationSeconds;
    this.claims = session.claims;
    this.assumedRoleUser = {
      Arn: assumedRoleArn(role, session.name),
      AssumedRoleId: `${role.roleId}:${session.name}`,
    };
  }

  /** The identity provider that vouches for the holder and whose role it is. */
  get provider(): string {
    return this.#provider;
  }
}

/**
 * Proof that an identity provider vouches for somebody who may act as the provider's own role. No trust policy is asked:
 * whoever configured the provider with policies trusts everyone it vouches for. The class is not exported: only this file
 * makes one.
 */
export type ProviderGrant = GrantOfProvider;

/**
 * Grants the role of a webhook to whom it vouches for, for no longer than the webhook says (MinIO,
 * AssumeRoleWithCustomToken). Throws AccessDenied for the role of anybody else.
 */
export function grantRoleToWebhookUser(
  role: Role,
  { provider, user, maxValiditySeconds }: CustomTokenIdentity,
  durationSeconds: number = defaultDurationSeconds,
): ProviderGrant {
  if (role.provider?.mode !== 'custom-token' || role.provider.name !== provider) {
    throw denied('AssumeRoleWithCustomToken', 'the role is of another provider');
  }
  return new GrantOfProvider(provider, role, {
    name: sessionNameOf(user),
    durationSeconds: Math.min(durationSeconds, maxValiditySeconds),
    claims: { tags: [] },
  });
}

/** AccessDenied as every federated action says it; `detail` is for the log. */
export function denied(action: string, detail: string): Error {
  return stsError('AccessDenied', `Not authorized to perform sts:${action}`, { detail });
}

const maxSessionNameLength = 64;

/** The name of a session that is called after somebody: what cannot stand in a name becomes `-`. */
export function sessionNameOf(subject: string): string {
  return subject.replaceAll(/[^\w+=,.@-]/gu, '-').slice(0, maxSessionNameLength);
}
