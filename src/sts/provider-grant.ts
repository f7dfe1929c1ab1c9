import { assumedRoleArn } from '../authenticate/caller.ts';
import type { Directory } from '../directory/directory.ts';
import type { Role } from '../directory/role.ts';
import type { CustomTokenIdentity } from '../identity/custom-token-identity.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';
import type { RoleSessionPrincipal, SessionClaims } from '../tokens/session-claims.ts';
import type { UnsignedCall } from './action.ts';
import { stsError } from './errors.ts';
import { providerArn } from './federated-keys.ts';
import { sessionNameOf } from './session-name.ts';

/** The longest session, in seconds: a year. */
const maxDurationSeconds = 31_536_000;

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
 * Grants the role of a webhook to whom it vouches for, for as long as the webhook says unless the request asks for less (MinIO,
 * AssumeRoleWithCustomToken). Throws AccessDenied for the role of anybody else.
 */
export function grantRoleToWebhookUser(
  role: Role,
  { provider, user, maxValiditySeconds }: CustomTokenIdentity,
  durationSeconds: number | undefined,
): ProviderGrant {
  if (role.provider?.mode !== 'custom-token' || role.provider.name !== provider) {
    throw denied('AssumeRoleWithCustomToken', 'the role is of another provider');
  }
  return new GrantOfProvider(provider, role, {
    name: sessionNameOf(user),
    durationSeconds: Math.min(durationSeconds ?? maxValiditySeconds, maxValiditySeconds),
    claims: { tags: [] },
  });
}

/** What is asked of a MinIO-style provider, and by whom. */
export interface ProviderRoleRequest {
  readonly identity: FederatedIdentity;
  /** `undefined`: the session is called after the subject. */
  readonly sessionName: string | undefined;
  /** `undefined`: the session ends with the token. */
  readonly durationSeconds: number | undefined;
}

/**
 * Grants the role of a MinIO-style OpenID Connect provider to whom it vouches for (MinIO, AssumeRoleWithWebIdentity). Throws
 * AccessDenied for the role of anybody else, and for a token that names no policy where it must.
 */
export function grantProviderRole(
  role: Role,
  { identity, sessionName, durationSeconds }: ProviderRoleRequest,
  { raw, dependencies }: UnsignedCall,
): ProviderGrant {
  const { provider, issuer, subject, audience } = identity;
  if (role.provider?.name !== provider) throw refused('the role is of another provider');
  // Both need the consent of a trust policy, which such a role has not; dropping them would lose what denies by them.
  if (identity.tags.length > 0 || identity.sourceIdentity !== undefined) {
    throw refused('the token asks for session tags or a source identity');
  }
  const federation = { provider: providerArn(issuer, dependencies.account), subject, audience };
  return new GrantOfProvider(provider, role, {
    name: sessionName ?? sessionNameOf(subject),
    durationSeconds: durationSeconds ?? remainingSeconds(identity, raw.receivedAtMs),
    claims: { tags: [], federation, ...ownPolicies(role, identity, dependencies.authentication.directory) },
  });
}

function ownPolicies(
  { provider }: Role,
  { policyNames = [] }: FederatedIdentity,
  directory: Directory,
): Pick<SessionClaims, 'policyNames'> {
  if (provider?.mode === 'role-policy') return {};
  if (provider?.mode !== 'claim') throw refused('the role is not of an OpenID Connect provider');
  const known = policyNames.filter((name) => directory.isPolicyName(name));
  if (known.length === 0) throw refused('the token names no policy that exists');
  return { policyNames: known };
}

function remainingSeconds({ expiresAt }: FederatedIdentity, nowMs: number): number {
  const seconds = Math.min(expiresAt - Math.floor(nowMs / 1000), maxDurationSeconds);
  // A token may end within the very second, and a session lasts whole ones.
  if (seconds < 1) throw stsError('ExpiredTokenException');
  return seconds;
}

function refused(detail: string): Error {
  return denied('AssumeRoleWithWebIdentity', detail);
}

/** AccessDenied as every federated action says it; `detail` is for the log. */
export function denied(action: string, detail: string): Error {
  return stsError('AccessDenied', `Not authorized to perform sts:${action}`, { detail });
}
