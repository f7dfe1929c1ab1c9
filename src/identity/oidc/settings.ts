import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ProviderReader } from '../kind.ts';
import { providerName, rolePolicies, type Settings, tokenAudiences, tokenIssuer } from '../provider-forms.ts';

const claimText = z
  .string()
  .regex(/^[\x21-\x7e]{0,255}$/, { error: 'must be at most 255 printable characters without spaces' });

/** An OpenID Connect provider, as it is written. */
export const oidcSchema = z.strictObject({
  kind: z.literal('oidc'),
  name: providerName,
  issuer: tokenIssuer,
  clientIds: tokenAudiences.describe('A token is accepted when `aud` has one of them.'),
  acceptAzp: z.boolean().default(false).describe('Whether `azp` counts as an audience beside `aud`.'),
  anyAzp: z.boolean().default(false).describe('Whether `azp` may name a client that is not in `clientIds`.'),
  rolePolicies: rolePolicies
    .optional()
    .describe(
      "Managed policies of everyone that the provider vouches for (MinIO's role policies). One client id only.",
    ),
  claimName: claimText
    .min(1, { error: 'must not be empty' })
    .optional()
    .describe(
      "The claim that names managed policies (MinIO's claim mode); `policy` where only `claimPrefix` is given. Not with `rolePolicies`.",
    ),
  claimPrefix: claimText.optional().describe('Precedes `claimName`. Not with `rolePolicies`.'),
  userInfo: z
    .boolean()
    .default(false)
    .describe(
      'Whether the provider is also asked about the user, with the access token that the request carries.',
    ),
});

/** An OpenID Connect provider, as configured. */
export interface OidcProviderSettings extends Omit<Settings<typeof oidcSchema>, 'claimName' | 'claimPrefix'> {
  /**
   * The claim with the names of managed policies (MinIO's claim mode), prefix included. Never set together with rolePolicies.
   */
  readonly policyClaim?: string;
}

/** The claim of MinIO's claim mode, when the configuration names another. */
const defaultClaimName = 'policy';

/** Reads the settings of a provider. */
export function readOidcSettings(reader: ProviderReader): OidcProviderSettings | undefined {
  const shape = reader.read(oidcSchema);
  if (shape === undefined) return undefined;
  const { claimName, claimPrefix, ...settings } = shape;
  const isClaimMode = claimName !== undefined || claimPrefix !== undefined;
  if (settings.rolePolicies === undefined) {
    if (!isClaimMode) return settings;
    return { ...settings, policyClaim: `${claimPrefix ?? ''}${claimName ?? defaultClaimName}` };
  }
  if (isClaimMode) {
    const other = claimName === undefined ? 'claimPrefix' : 'claimName';
    reader.problemAtKey([other], 'cannot be combined with rolePolicies');
  }
  if (settings.clientIds.length !== 1) {
    reader.problem(['clientIds'], 'must hold one client id where there are rolePolicies');
  }
  return settings;
}

/** The id in the role ARN that clients of a role-policy provider must name (MinIO, "OpenID Connect, RolePolicy"). */
export function openIdRoleId(clientId: string): string {
  return createHash('sha1').update(clientId).digest('base64url');
}
