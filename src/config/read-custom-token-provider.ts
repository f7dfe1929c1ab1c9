import { z } from 'zod';
import type { CustomTokenProviderSettings } from '../identity/custom-token/settings.ts';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';
import { providerName, rolePolicies, textLike } from './scalars.ts';
import { readSecret, type ValueRule, valueSource } from './secret-value.ts';

// Said to the webhook exactly as it stands here: the generated role ARN is made of these very characters.
const webhookForm = /^https?:\/\/[\x21-\x7e]{1,2040}$/;
const webhookUrl = z.string().refine(isWebhookUrl, {
  error: 'must be an http or https URL without user, fragment or a parameter "token"',
});

function isWebhookUrl(text: string): boolean {
  if (!webhookForm.test(text) || /[#\\]/.test(text) || !URL.canParse(text)) return false;
  const { username, password, searchParams } = new URL(text);
  return username === '' && password === '' && !searchParams.has('token');
}

const customToken = z.strictObject({
  kind: z.literal('custom-token'),
  name: providerName,
  url: webhookUrl,
  authToken: valueSource.optional(),
  rolePolicies,
  roleId: textLike(/^[\w-]{1,59}$/, 'must be 1 to 59 letters, digits, "_" or "-"')
    .nullable()
    .default(null),
});

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
