import type { FederatedSessionTag } from './federated-identity.ts';

/** A role that an assertion offers, and the provider that it is offered for. Both ARNs are as written there. */
export interface SamlRole {
  readonly roleArn: string;
  readonly principalArn: string;
}

/** The verified identity from an assertion that passed every check. */
export interface SamlIdentity {
  /** The configured name of the provider. A bounded value, fit for a metric label. */
  readonly provider: string;
  readonly providerArn: string;
  /** The entity id of the provider. */
  readonly issuer: string;
  /** The text of the NameID, at most 256 characters. */
  readonly subject: string;
  /** `persistent`, `transient`, and so on; the whole URI for a format outside SAML 2.0. */
  readonly subjectType: string;
  /** The recipient that the assertion was accepted for. AWS calls it the audience. */
  readonly recipient: string;
  /** Base64 of the SHA-1 of issuer, account id and provider name. Distinguishes equal subjects of two providers. */
  readonly nameQualifier: string;
  readonly roles: readonly SamlRole[];
  readonly sessionName: string;
  /** The longest session that the assertion allows, in whole seconds from now, at least 1. `undefined`: no limit. */
  readonly maxDurationSeconds: number | undefined;
  readonly tags: readonly FederatedSessionTag[];
  readonly sourceIdentity: string | undefined;
  /** The condition keys of the trust decision with their values: `saml:aud` and others. */
  readonly conditionKeys: ReadonlyMap<string, readonly string[]>;
  /**
   * Uses up the assertion. Awaited after the request has been granted and before credentials are issued, so that a refused
   * request can be repeated. Of several calls for one assertion, also concurrent ones, only the first succeeds.
   * @throws IdentityFault `replayed` when it was used before
   * @throws StateError when that is unknown
   */
  readonly useUp: () => Promise<void>;
}
