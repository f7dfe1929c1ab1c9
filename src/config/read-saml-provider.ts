import {
  readSamlMetadata,
  type SamlMetadata,
  SamlMetadataError,
  type SamlProviderSettings,
} from '../identity/saml/settings.ts';
import type { Path } from './path.ts';
import { saml } from './provider-sections.ts';
import type { Reading } from './reading.ts';

const maxMetadataBytes = 1024 * 1024;

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
