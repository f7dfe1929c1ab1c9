export { readSamlMetadata, type SamlMetadata, SamlMetadataError } from './metadata.ts';

/** A SAML 2.0 identity provider, as configured. */
export interface SamlProviderSettings {
  readonly kind: 'saml';
  /** Part of the provider's ARN. */
  readonly name: string;
  /** From the metadata. Compared exactly with the issuer of assertions. */
  readonly entityId: string;
  /** From the metadata: the certificates of the signing keys, as base64 of DER; at least one. */
  readonly certificates: readonly string[];
  /** At least one. The assertion's `Recipient` must be one of them. */
  readonly recipients: readonly string[];
  /** At least one. Every audience restriction of the assertion must name one of them. */
  readonly audiences: readonly string[];
}

/** The recipient in assertions made for AWS (IAM user guide, "Configure SAML assertions"). */
export const defaultRecipient = 'https://signin.aws.amazon.com/saml';

/** The audience in assertions made for AWS. */
export const defaultAudience = 'urn:amazon:webservices';
