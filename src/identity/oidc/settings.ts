import { createHash } from 'node:crypto';

/** An OpenID Connect provider, as configured. */
export interface OidcProviderSettings {
  readonly kind: 'oidc';
  readonly name: string;
  /** Compared with `iss` exactly. Has no query and no fragment. */
  readonly issuer: string;
  /** At least one. A token's `aud` must contain one of them. */
  readonly clientIds: readonly string[];
  /** True when `azp` counts as an audience besides `aud`. Without an `aud` it always does. */
  readonly acceptAzp: boolean;
  /** True when `azp` may name a client that is not configured, which means that the token was issued to another application. */
  readonly anyAzp: boolean;
  /**
   * Names of the managed policies of all users of the provider (MinIO's role policies). The ARN of the generated role is
   * derived from the only client id.
   */
  readonly rolePolicies?: readonly string[];
  /**
   * The claim with the names of managed policies (MinIO's claim mode), prefix included. Never set together with rolePolicies.
   */
  readonly policyClaim?: string;
  /** True when UserInfo is asked too, with the access token of the request. */
  readonly userInfo: boolean;
}

/** The id in the role ARN that clients of a role-policy provider must name (MinIO, "OpenID Connect, RolePolicy"). */
export function openIdRoleId(clientId: string): string {
  return createHash('sha1').update(clientId).digest('base64url');
}

/** True for a provider whose users assume its own role, and no role of the directory. */
export function hasOwnRole({
  rolePolicies,
  policyClaim,
}: Pick<OidcProviderSettings, 'rolePolicies' | 'policyClaim'>): boolean {
  return rolePolicies !== undefined || policyClaim !== undefined;
}
