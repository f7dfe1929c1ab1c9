import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../../core/secret.ts';
import { textLike } from '../../schema/scalars.ts';
import { secretSource, type ValueRule } from '../../schema/value-source.ts';
import type { ProviderReader } from '../kind.ts';
import { providerName, rolePolicies, type Settings } from '../provider-forms.ts';

// Said to the webhook exactly as it stands here: the generated role ARN is made of these very characters.
const webhookForm = /^https?:\/\/[\x21-\x7e]{1,2040}$/;

function isWebhookUrl(text: string): boolean {
  if (!webhookForm.test(text) || /[#\\]/.test(text) || !URL.canParse(text)) return false;
  const { username, password, searchParams } = new URL(text);
  return username === '' && password === '' && !searchParams.has('token');
}

/** A webhook that verifies tokens (MinIO, "Identity Management Plugin"), as it is written. */
export const customTokenSchema = z.strictObject({
  kind: z.literal('custom-token'),
  name: providerName,
  url: z
    .string()
    .refine(isWebhookUrl, {
      error: 'must be an http or https URL without user, fragment or a parameter "token"',
    })
    .describe('The URL of the webhook.'),
  authToken: secretSource.optional().describe('The value of `Authorization`; none is sent when absent.'),
  rolePolicies: rolePolicies.describe('Managed policies of everyone that the webhook vouches for.'),
  roleId: textLike(/^[\w-]{1,59}$/, 'must be 1 to 59 letters, digits, "_" or "-"')
    .nullable()
    .default(null)
    .describe('Stands in the generated role ARN; derived from the URL when absent.'),
});

/** A webhook, as configured. Its URL is exactly as written, and may have a query. */
export interface CustomTokenProviderSettings
  extends Omit<Settings<typeof customTokenSchema>, 'authToken' | 'roleId'> {
  readonly authToken?: Secret;
  readonly roleId?: string;
}

const authTokenRule: ValueRule = {
  isValid: (text) => /^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/.test(text),
  message: 'must be 1 to 8192 printable characters without spaces around them',
};

/** Reads the settings of a webhook. */
export function readCustomTokenSettings(reader: ProviderReader): CustomTokenProviderSettings | undefined {
  const shape = reader.read(customTokenSchema);
  if (shape === undefined) return undefined;
  const { authToken: source, roleId, ...others } = shape;
  const settings = roleId === null ? others : { ...others, roleId };
  if (source === undefined) return settings;
  const authToken = reader.readSecret(['authToken'], source, authTokenRule);
  return authToken === undefined ? undefined : { ...settings, authToken };
}

/** The id in the role ARN that clients of a webhook must name: `idmp-` and the configured id or the digest of the URL. */
export function pluginRoleId({ url, roleId }: Pick<CustomTokenProviderSettings, 'url' | 'roleId'>): string {
  return `idmp-${roleId ?? createHash('sha1').update(url).digest('base64url')}`;
}
