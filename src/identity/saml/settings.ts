export { readSamlMetadata, type SamlMetadata, SamlMetadataError } from './metadata.ts';

/** A SAML 2.0 identity provider, as configured. */
export interface SamlProviderSettings {
  readonly kind: 'saml';
  /** Stands in the provider's ARN. */
  readonly name: string;
  /** From its metadata; compared with the assertion's issuer exactly. */
  readonly entityId: string;
  /** From its metadata: the certificates whose keys may sign, base64 of DER; at least one. */
  readonly certificates: readonly string[];
  /** At least one; the assertion's `Recipient` must be one of them. */
  readonly recipients: readonly string[];
  /** At least one; every audience restriction of the assertion must name one of them. */
  readonly audiences: readonly string[];
}

/** The recipient of assertions that are made for AWS (IAM user guide, "Configure SAML assertions"). */
export const defaultRecipient = 'https://signin.aws.amazon.com/saml';

/** The audience of assertions that are made for AWS. */
export const defaultAudience = 'urn:amazon:webservices';
