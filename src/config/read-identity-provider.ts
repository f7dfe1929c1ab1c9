import { z } from 'zod';
import type { ProviderFacts, ProviderReader, ProviderSettings } from '../identity/kind.ts';
import { identityKinds } from '../identity/kinds.ts';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';
import { readSecret } from './secret-value.ts';

/** A provider as it was read. */
export interface ReadProvider {
  readonly settings: ProviderSettings;
  readonly facts: ProviderFacts;
}

/** Reads one item of `directory.identityProviders`. */
export function readIdentityProvider(reading: Reading, path: Path): ReadProvider | undefined {
  const kinds = reading.context.sources.identityKinds ?? identityKinds;
  const name = reading.valueAt([...path, 'kind']);
  const kind = kinds.find((one) => one.kind === name);
  if (kind === undefined) {
    reading.read(path, z.looseObject({ kind: z.enum(kinds.map((one) => one.kind)) }));
    return undefined;
  }
  const settings = kind.read(readerAt(reading, path));
  return settings && { settings, facts: kind.describe(settings) };
}

function readerAt(reading: Reading, base: Path): ProviderReader {
  const at = (path: Path): Path => [...base, ...path];
  return {
    read: (schema) => reading.read(base, schema),
    problem: (path, message) => reading.problem(at(path), message),
    problemAtKey: (path, message) => reading.problemAtKey(at(path), message),
    readFile: (path, name, maxBytes) => {
      const file = reading.context.sources.readText(name, maxBytes);
      if (file.ok) return file.text;
      reading.problem(at(path), `the file ${JSON.stringify(name)} ${file.reason}`);
      return undefined;
    },
    readSecret: (path, source, rule) => readSecret(reading, at(path), source, rule),
  };
}
