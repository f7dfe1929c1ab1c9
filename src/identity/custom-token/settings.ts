import { createHash } from 'node:crypto';
import type { Secret } from '../../core/secret.ts';

/** A webhook that knows whose token it is asked about (MinIO, "Identity Management Plugin"), as configured. */
export interface CustomTokenProviderSettings {
  readonly kind: 'custom-token';
  readonly name: string;
  /** Exactly as configured; may have a query. */
  readonly url: string;
  /** The value of `Authorization`; none is sent when absent. */
  readonly authToken?: Secret;
  /** Managed policies by name, of everyone whom the webhook knows; at least one. */
  readonly rolePolicies: readonly string[];
  /** Stands in the generated role ARN; derived from the URL when absent. */
  readonly roleId?: string;
}

/** The id in the role ARN that a plugin's clients must name: `idmp-` and the configured id or the digest of the URL. */
export function pluginRoleId({ url, roleId }: Pick<CustomTokenProviderSettings, 'url' | 'roleId'>): string {
  return `idmp-${roleId ?? createHash('sha1').update(url).digest('base64url')}`;
}
