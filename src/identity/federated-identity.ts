/** Who an identity provider vouches for, from a token that passed every check. */
export interface FederatedIdentity {
  /** The configured name of the provider; bounded, fit for a metric label. */
  readonly provider: string;
  /** The token's `iss`, exactly. */
  readonly issuer: string;
  /** The token's `sub`, at most 255 characters. */
  readonly subject: string;
  /** The audience the token was accepted for. */
  readonly audience: string;
  /**
   * Every textual claim by its path, nested names joined by `/` (`kubernetes.io/namespace`); lists have several
   * values. `aud` holds accepted audiences only.
   */
  readonly claims: ReadonlyMap<string, readonly string[]>;
}
