import type { FederatedSessionTag } from './federated-identity.ts';

/** One role that an assertion offers, with the provider that it offers it for; both ARNs as they stand there. */
export interface SamlRole {
  readonly roleArn: string;
  readonly principalArn: string;
}

/** Who a SAML identity provider vouches for, from an assertion that passed every check. */
export interface SamlIdentity {
  /** The configured name of the provider; bounded, fit for a metric label. */
  readonly provider: string;
  readonly providerArn: string;
  /** The entity id of the provider. */
  readonly issuer: string;
  /** The text of the NameID, at most 256 characters. */
  readonly subject: string;
  /** `persistent`, `transient`, … or the whole URI of a format that is not of SAML 2.0. */
  readonly subjectType: string;
  /** The recipient the assertion was accepted for; AWS calls it the audience. */
  readonly recipient: string;
  /** Base64 of the SHA-1 of issuer, account id and provider name: tells equal subjects of two providers apart. */
  readonly nameQualifier: string;
  readonly roles: readonly SamlRole[];
  readonly sessionName: string;
  /** The longest session that the assertion allows, in whole seconds from now, at least 1; `undefined`: no limit. */
  readonly maxDurationSeconds: number | undefined;
  readonly tags: readonly FederatedSessionTag[];
  readonly sourceIdentity: string | undefined;
  /** The condition keys of the trust decision, `saml:aud` and the others, with their values. */
  readonly conditionKeys: ReadonlyMap<string, readonly string[]>;
  /**
   * Uses the assertion up. To be awaited once its request is granted and before credentials are issued, so that a refused
   * request can be repeated. Of several calls for one assertion, at the same time too, only the first succeeds.
   * @throws IdentityFault `replayed` when it was used before
   * @throws StateFault when that cannot be found out
   */
  readonly useUp: () => Promise<void>;
}

/** Every configured SAML provider, behind the one question the token service has. */
export interface SamlProviders {
  /**
   * Finds out who presents an assertion, the base64 of a SAML response. Only the provider of that ARN is asked. The assertion
   * is not used up.
   * @throws IdentityFault
   */
  identify(principalArn: string, assertion: string, nowMs: number): Promise<SamlIdentity>;
}
