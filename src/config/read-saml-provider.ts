import { z } from 'zod';
import {
  defaultAudience,
  defaultRecipient,
  readSamlMetadata,
  type SamlMetadata,
  SamlMetadataError,
  type SamlProviderSettings,
} from '../identity/saml/settings.ts';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';
import { providerName, textLike } from './scalars.ts';

const maxMetadataBytes = 1024 * 1024;
const maxItems = 100;

// It stands in session tokens.
const recipient = textLike(
  /^(?=.{1,255}$)https?:\/\/[\x21-\x7e]+$/,
  'must be an http or https URL of at most 255 characters',
);
const audience = textLike(/^[\x21-\x7e]{1,2000}$/, 'must be 1 to 2000 printable characters without spaces');

function several(item: z.ZodType<string, string>): z.ZodArray<z.ZodType<string, string>> {
  return z
    .array(item)
    .min(1, { error: 'must not be empty: nothing would be accepted' })
    .max(maxItems, { error: `must not hold more than ${maxItems}` });
}

const saml = z.strictObject({
  kind: z.literal('saml'),
  name: providerName,
  metadataFile: z.string().min(1, { error: 'must be the path of a file' }),
  recipients: several(recipient).default([defaultRecipient]),
  audiences: several(audience).default([defaultAudience]),
});

/** Reads a SAML provider together with its metadata file, whose path is relative like those of other files. */
export function readSamlProvider(reading: Reading, path: Path): SamlProviderSettings | undefined {
  const shape = reading.read(path, saml);
  if (shape === undefined) return undefined;
  const { metadataFile, ...others } = shape;
  const metadata = readMetadata(reading, [...path, 'metadataFile'], metadataFile);
  return metadata && { ...others, ...metadata };
}

function readMetadata(reading: Reading, path: Path, name: string): SamlMetadata | undefined {
  const file = reading.context.sources.readText(name, maxMetadataBytes);
  if (!file.ok) {
    reading.problem(path, `the file ${JSON.stringify(name)} ${file.reason}`);
    return undefined;
  }
  try {
    return readSamlMetadata(file.text);
  } catch (error) {
    if (!(error instanceof SamlMetadataError)) throw error;
    reading.problem(path, `the file ${JSON.stringify(name)} ${error.message}`);
    return undefined;
  }
}
