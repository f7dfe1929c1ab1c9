import { checkTokenKeys } from './cross-checks.ts';
import type { Reading } from './reading.ts';
import { readSecret, tokenKeyRule } from './secret-value.ts';
import { sections } from './sections.ts';
import type { Settings } from './settings.ts';

/** Reads `tokens` with the key ring's secrets. */
export function readTokens(reading: Reading): Settings['tokens'] | undefined {
  const shape = reading.read(['tokens'], sections.tokens);
  if (shape === undefined) return undefined;
  checkTokenKeys(reading, shape);
  const keys = shape.keys.flatMap(({ id, secret: source }, index) => {
    const secret = readSecret(reading, ['tokens', 'keys', index, 'secret'], source, tokenKeyRule);
    return secret === undefined ? [] : [{ id, secret }];
  });
  return keys.length === shape.keys.length ? { sealWith: shape.sealWith, keys } : undefined;
}
