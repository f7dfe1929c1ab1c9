import type { ProviderRoleRecord } from '../directory/records.ts';
import { pluginRoleId } from '../identity/custom-token/settings.ts';
import type { IdentityProviderSettings } from './settings.ts';

/** The role of a provider that has one of its own; `undefined` for a provider whose tokens are for roles of the directory. */
export function providerRole(provider: IdentityProviderSettings): ProviderRoleRecord | undefined {
  if (provider.kind !== 'custom-token') return undefined;
  const { kind, name, url, rolePolicies } = provider;
  return {
    mode: 'custom-token',
    provider: name,
    name: pluginRoleId(provider),
    policies: rolePolicies,
    uniqueName: `${kind}\n${name}\n${url}`,
  };
}
