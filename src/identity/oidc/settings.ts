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
}
