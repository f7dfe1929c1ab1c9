/** A tag that a token asks for. */
export interface FederatedSessionTag {
  readonly key: string;
  readonly value: string;
  /** Whether it passes along a chain of roles. */
  readonly isTransitive: boolean;
}

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
  /** The token's `exp`, in whole seconds since the Unix epoch, rounded down. */
  readonly expiresAt: number;
  readonly tags: readonly FederatedSessionTag[];
  readonly sourceIdentity: string | undefined;
  /** What a claim-mode provider says about policies, as it says it; `undefined` for other providers. */
  readonly policyNames: readonly string[] | undefined;
}
