import { formatArn } from '../core/arn.ts';
import { withoutScheme } from '../core/issuer.ts';
import type { AccountRecord, IdentityProviderRecord } from '../directory/records.ts';
import { hasIssuer, type IdentityProviderSettings } from './settings.ts';

/** How policies and sessions name the providers; a webhook has no ARN, and its sessions are known by their role. */
export function identityProviderRecords(
  providers: readonly IdentityProviderSettings[],
  { id, partition }: AccountRecord,
): readonly IdentityProviderRecord[] {
  const toArn = (resource: string): string =>
    formatArn({ partition, service: 'iam', region: '', account: id, resource });
  return providers.flatMap((provider): IdentityProviderRecord[] => {
    const { name } = provider;
    if (provider.kind === 'saml') {
      return [{ name, issuer: provider.entityId, arn: toArn(`saml-provider/${name}`) }];
    }
    if (!hasIssuer(provider)) return [];
    const { issuer } = provider;
    return [{ name, issuer, arn: toArn(`oidc-provider/${withoutScheme(issuer)}`) }];
  });
}
