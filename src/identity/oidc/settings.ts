import { createHash } from 'node:crypto';

/** An OpenID Connect provider, as configured. */
export interface OidcProviderSettings {
  readonly kind: 'oidc';
  readonly name: string;
  /** Compared with `iss` exactly; no query, no fragment. */
  readonly issuer: string;
  /** At least one; a token's `aud` must hold one of them. */
  readonly clientIds: readonly string[];
  /** Whether `azp` counts as an audience beside `aud`; without an `aud` it always does. */
  readonly acceptAzp: boolean;
  /** Whether `azp` may name a client that is not configured: a token that was issued to another application. */
  readonly anyAzp: boolean;
  /**
   * Managed policies by name of everyone the provider vouches for (MinIO's role policies); the only client id is in the
   * ARN of the generated role.
   */
  readonly rolePolicies?: readonly string[];
  /** The claim that holds names of managed policies (MinIO's claim mode), prefix included; never beside rolePolicies. */
  readonly policyClaim?: string;
  /** Whether the provider is asked about the user besides, with the access token that comes along. */
  readonly userInfo: boolean;
}

/** The id in the role ARN that clients of a role-policy provider must name (MinIO, "OpenID Connect, RolePolicy"). */
export function openIdRoleId(clientId: string): string {
  return createHash('sha1').update(clientId).digest('base64url');
}
