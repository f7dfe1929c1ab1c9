/** A session tag from a token. */
export interface FederatedSessionTag {
  readonly key: string;
  readonly value: string;
  /** True when it is passed on along a chain of roles. */
  readonly isTransitive: boolean;
}

/** What a provider finds in a token that it has verified. */
export interface VerifiedToken {
  /** The token's `sub`, at most 255 characters. */
  readonly subject: string;
  /**
   * Every textual claim by its path. Nested names are joined by `/` (`kubernetes.io/namespace`), and lists have several values.
   * `aud` holds only accepted audiences.
   */
  readonly claims: ReadonlyMap<string, readonly string[]>;
  readonly tags: readonly FederatedSessionTag[];
  readonly sourceIdentity: string | undefined;
  /** The policy names in the claim of a claim-mode provider; `undefined` for other providers. */
  readonly policyNames: readonly string[] | undefined;
}

/** The verified identity from a token that passed every check, together with the provider that vouches for it. */
export interface FederatedIdentity extends VerifiedToken {
  /** The configured name of the provider. A bounded value, fit for a metric label. */
  readonly provider: string;
  readonly providerArn: string;
  /** True when users of the provider act as its own role only, as in MinIO. */
  readonly hasOwnRole: boolean;
  /** The token's `iss`, exactly. */
  readonly issuer: string;
  /** The audience the token was accepted for. */
  readonly audience: string;
  /** The token's `exp`, in whole seconds since the Unix epoch, rounded down. */
  readonly expiresAt: number;
}
