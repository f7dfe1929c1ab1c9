import type { CustomTokenProviderSettings } from '../identity/custom-token/settings.ts';
import type { ValueRule } from '../schema/value-source.ts';
import type { Path } from './path.ts';
import { customToken } from './provider-sections.ts';
import type { Reading } from './reading.ts';
import { readSecret } from './secret-value.ts';

const authTokenRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/.test(text),
  message: 'must be 1 to 8192 printable characters without spaces around them',
};

/** Reads a provider whose webhook verifies tokens. */
export function readCustomTokenProvider(
  reading: Reading,
  path: Path,
): CustomTokenProviderSettings | undefined {
  const shape = reading.read(path, customToken);
  if (shape === undefined) return undefined;
  const { authToken: source, roleId, ...others } = shape;
  const settings = roleId === null ? others : { ...others, roleId };
  if (source === undefined) return settings;
  const authToken = readSecret(reading, [...path, 'authToken'], source, authTokenRule);
  return authToken === undefined ? undefined : { ...settings, authToken };
}
