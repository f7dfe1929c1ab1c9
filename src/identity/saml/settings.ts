import { z } from 'zod';
import { fileName, several, textLike } from '../../schema/scalars.ts';
import type { ProviderReader } from '../kind.ts';
import { providerName, type Settings } from '../provider-forms.ts';
import { readSamlMetadata, type SamlMetadata, SamlMetadataError } from './metadata.ts';

/** The recipient in assertions made for AWS (IAM user guide, "Configure SAML assertions"). */
const defaultRecipient = 'https://signin.aws.amazon.com/saml';
/** The audience in assertions made for AWS. */
const defaultAudience = 'urn:amazon:webservices';
const maxMetadataBytes = 1024 * 1024;

/** A SAML 2.0 identity provider, as it is written. */
export const samlSchema = z.strictObject({
  kind: z.literal('saml'),
  name: providerName,
  metadataFile: fileName.describe("The provider's metadata, XML."),
  // Stands in session tokens.
  recipients: several(
    textLike(
      /^(?=.{1,255}$)https?:\/\/[\x21-\x7e]+$/,
      'must be an http or https URL of at most 255 characters',
    ),
  )
    .default([defaultRecipient])
    .describe("The assertion's `Recipient` must be one of them."),
  audiences: several(
    textLike(/^[\x21-\x7e]{1,2000}$/, 'must be 1 to 2000 printable characters without spaces'),
  )
    .default([defaultAudience])
    .describe('Every audience restriction of the assertion must name one of them.'),
});

/** A SAML 2.0 identity provider, as configured. */
export interface SamlProviderSettings
  extends Omit<Settings<typeof samlSchema>, 'metadataFile'>,
    SamlMetadata {}

/** Reads a provider together with its metadata file, whose path is relative like those of other files. */
export function readSamlSettings(reader: ProviderReader): SamlProviderSettings | undefined {
  const shape = reader.read(samlSchema);
  if (shape === undefined) return undefined;
  const { metadataFile, ...others } = shape;
  const text = reader.readFile(['metadataFile'], metadataFile, maxMetadataBytes);
  if (text === undefined) return undefined;
  try {
    return { ...others, ...readSamlMetadata(text) };
  } catch (error) {
    if (!(error instanceof SamlMetadataError)) throw error;
    reader.problem(['metadataFile'], `the file ${JSON.stringify(metadataFile)} ${error.message}`);
    return undefined;
  }
}
