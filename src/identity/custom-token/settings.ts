import { createHash } from 'node:crypto';
import type { Secret } from '../../core/secret.ts';

/** A webhook that verifies tokens (MinIO, "Identity Management Plugin"), as configured. */
export interface CustomTokenProviderSettings {
  readonly kind: 'custom-token';
  readonly name: string;
  /** Exactly as configured; may have a query. */
  readonly url: string;
  /** The value of `Authorization`. Without it, none is sent. */
  readonly authToken?: Secret;
  /** Names of the managed policies of all users of the webhook; at least one. */
  readonly rolePolicies: readonly string[];
  /** The id in the generated role ARN. Without it, the id is derived from the URL. */
  readonly roleId?: string;
}

/** The id in the role ARN that clients of a webhook must name: `idmp-` and the configured id or the digest of the URL. */
export function pluginRoleId({ url, roleId }: Pick<CustomTokenProviderSettings, 'url' | 'roleId'>): string {
  return `idmp-${roleId ?? createHash('sha1').update(url).digest('base64url')}`;
}
