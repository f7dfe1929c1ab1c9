import type { AccountRecord, IdentityProviderRecord, ProviderRoleRecord } from '../directory/records.ts';
import type { ReadProvider } from './read-identity-provider.ts';

/** How policies and sessions name the providers. */
export function identityProviderRecords(
  providers: readonly ReadProvider[],
  account: AccountRecord,
): readonly IdentityProviderRecord[] {
  return providers.flatMap(({ settings: { name }, facts: { principal } }) =>
    principal === undefined ? [] : [{ name, issuer: principal.issuer, arn: principal.arnIn(account) }],
  );
}

/** The generated role of a provider; `undefined` for a provider whose users assume roles of the directory. */
export function providerRole({ settings, facts: { role } }: ReadProvider): ProviderRoleRecord | undefined {
  if (role === undefined) return undefined;
  const { kind, name: provider } = settings;
  const { source, ...record } = role;
  // None of the parts can contain a line break.
  return { ...record, provider, uniqueName: [kind, provider, ...source].join('\n') };
}
