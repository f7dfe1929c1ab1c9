import type { DirectoryDraft } from '../directory/check-records.ts';
import { quoteText } from './path.ts';
import { providerRole } from './provider-records.ts';
import type { ReadProvider } from './read-identity-provider.ts';
import type { Reading } from './reading.ts';
import { suggest } from './suggest.ts';

/**
 * Checks that roles of identity providers have existing policies and unique names, and that at most one provider uses a
 * policy claim.
 */
export function checkProviderRoles(
  reading: Reading,
  providers: readonly (ReadProvider | undefined)[],
  { policyNames, roles }: Pick<DirectoryDraft, 'policyNames' | 'roles'>,
): void {
  const names = new Set(roles.flatMap((role) => (role === undefined ? [] : [role.name.toLowerCase()])));
  let claimModes = 0;
  for (const [index, provider] of providers.entries()) {
    const role = provider && providerRole(provider);
    if (role === undefined) continue;
    const at = ['directory', 'identityProviders', index];
    if (role.mode === 'claim') claimModes += 1;
    // A token that comes without a role ARN would not say which of the two it is for.
    if (role.mode === 'claim' && claimModes === 2) {
      reading.problem(at, 'is the second provider with claimName or claimPrefix: one at most may have them');
    }
    // Their sessions would have the same ARNs, so a policy about one would apply to both.
    if (names.has(role.name.toLowerCase())) {
      reading.problem(at, `has a role named ${quoteText(role.name)}, and so has another role`);
    }
    names.add(role.name.toLowerCase());
    for (const [position, policy] of role.policies.entries()) {
      const path = [...at, 'rolePolicies', position];
      if (role.policies.indexOf(policy) < position) reading.problem(path, `repeats ${quoteText(policy)}`);
      if (policyNames.includes(policy)) continue;
      const hint = suggest(policy, policyNames);
      reading.problem(path, `no managed policy is named ${quoteText(policy)}${hint}`);
    }
  }
}
