import { z } from 'zod';
import { checkTokenKeys } from './cross-checks.ts';
import type { Reading } from './reading.ts';
import { textLike } from './scalars.ts';
import { readSecret, tokenKeyRule, valueSource } from './secret-value.ts';
import type { TokenSettings } from './settings.ts';

const keyId = textLike(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, "_", "." or "-"');

const tokens = z.strictObject({
  sealWith: keyId,
  keys: z
    .array(z.strictObject({ id: keyId, secret: valueSource }))
    .min(1, { error: 'must hold at least one key' }),
});

/** Reads `tokens` with the key ring's secrets. */
export function readTokens(reading: Reading): TokenSettings | undefined {
  const shape = reading.read(['tokens'], tokens);
  if (shape === undefined) return undefined;
  checkTokenKeys(reading, shape);
  const keys = shape.keys.flatMap(({ id, secret: source }, index) => {
    const secret = readSecret(reading, ['tokens', 'keys', index, 'secret'], source, tokenKeyRule);
    return secret === undefined ? [] : [{ id, secret }];
  });
  return keys.length === shape.keys.length ? { sealWith: shape.sealWith, keys } : undefined;
}
