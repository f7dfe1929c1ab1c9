import type { ProviderRoleRecord } from '../directory/records.ts';
import { pluginRoleId } from '../identity/custom-token/settings.ts';
import { openIdRoleId } from '../identity/oidc/settings.ts';
import type { IdentityProviderSettings } from './settings.ts';

/** The generated role of a provider; `undefined` for a provider whose users assume roles of the directory. */
export function providerRole(provider: IdentityProviderSettings): ProviderRoleRecord | undefined {
  if (provider.kind === 'custom-token') {
    const { kind, name, url, rolePolicies } = provider;
    return {
      mode: 'custom-token',
      provider: name,
      name: pluginRoleId(provider),
      policies: rolePolicies,
      uniqueName: lines(kind, name, url),
    };
  }
  if (provider.kind !== 'oidc') return undefined;
  const { kind, name, issuer, clientIds, rolePolicies, policyClaim } = provider;
  if (rolePolicies !== undefined) {
    const [clientId = ''] = clientIds;
    return {
      mode: 'role-policy',
      provider: name,
      name: openIdRoleId(clientId),
      policies: rolePolicies,
      uniqueName: lines(kind, name, issuer, clientId),
    };
  }
  if (policyClaim === undefined) return undefined;
  const uniqueName = lines(kind, name, issuer, ...[...clientIds].sort());
  return { mode: 'claim', provider: name, name, policies: [], uniqueName };
}

// None of the parts can contain a line break.
function lines(...parts: readonly string[]): string {
  return parts.join('\n');
}
