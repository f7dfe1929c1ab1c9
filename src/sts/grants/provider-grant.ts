import { longestSessionSeconds } from '../../core/iam-names.ts';
import type { Directory } from '../../directory/directory.ts';
import type { Role } from '../../directory/role.ts';
import type { FederatedIdentity } from '../../identity/federated-identity.ts';
import type { CustomTokenIdentity } from '../../identity/provider.ts';
import type { SessionClaims } from '../../tokens/session-claims.ts';
import type { UnsignedCall } from '../action.ts';
import { stsError } from '../errors.ts';
import { sessionNameOf } from '../session-name.ts';
import { type GrantedRoleSession, RoleSession } from './role-session.ts';

class GrantOfProvider extends RoleSession {
  // A private field makes the type nominal: no object literal and no other class is assignable to it.
  readonly #provider: string;

  constructor(provider: string, role: Role, session: GrantedRoleSession) {
    super(role, session);
    this.#provider = provider;
  }

  /** The identity provider that identified the user, and that the role belongs to. */
  get provider(): string {
    return this.#provider;
  }
}

/**
 * Proof that a user of an identity provider may act as the provider's own role. There is no trust policy: configuring the
 * provider with policies means trusting all of its users. The class is not exported, so only this file can create one.
 */
export type ProviderGrant = GrantOfProvider;

/**
 * Grants a webhook's role to a user that the webhook has identified. The session lasts as long as the webhook allows, or
 * shorter if the request asks for it (MinIO, AssumeRoleWithCustomToken).
 * @throws ServiceError AccessDenied when the role belongs to another provider
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

/** A request for the role of a MinIO-style provider. */
export interface ProviderRoleRequest {
  readonly identity: FederatedIdentity;
  readonly sessionName: string;
  /** `undefined`: the session ends when the token expires. */
  readonly durationSeconds: number | undefined;
}

/**
 * Grants the role of a MinIO-style OpenID Connect provider to one of its users (MinIO, AssumeRoleWithWebIdentity).
 * @throws ServiceError AccessDenied when the role belongs to another provider, or when a claim-mode token names no policy
 */
export function grantProviderRole(
  role: Role,
  { identity, sessionName, durationSeconds }: ProviderRoleRequest,
  { raw, dependencies }: UnsignedCall,
): ProviderGrant {
  const { provider, providerArn, subject, audience } = identity;
  if (role.provider?.name !== provider) throw refused('the role is of another provider');
  // Both need the permission of a trust policy, and the role has none. Ignoring them would bypass policies that deny by them.
  if (identity.tags.length > 0 || identity.sourceIdentity !== undefined) {
    throw refused('the token asks for session tags or a source identity');
  }
  const federation = { provider: providerArn, subject, audience };
  return new GrantOfProvider(provider, role, {
    name: sessionName,
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
  const seconds = Math.min(expiresAt - Math.floor(nowMs / 1000), longestSessionSeconds);
  // Less than a second is left: sessions last whole seconds.
  if (seconds < 1) throw stsError('ExpiredTokenException');
  return seconds;
}

function refused(detail: string): Error {
  return denied('AssumeRoleWithWebIdentity', detail);
}

/** AccessDenied for federated actions, in AWS's words. `detail` is for the log. */
export function denied(action: string, detail: string): Error {
  return stsError('AccessDenied', `Not authorized to perform sts:${action}`, { detail });
}
