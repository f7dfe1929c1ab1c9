import { ConfiguredProviders } from './configured-providers.ts';
import { customToken } from './custom-token/kind.ts';
import type { IdentityKind, ProviderFacts, ProviderSettings, ProviderTools } from './kind.ts';
import { kubernetes } from './kubernetes/kind.ts';
import { oidc } from './oidc/kind.ts';
import { saml } from './saml/kind.ts';

/** A list of kinds. */
export type IdentityKinds = readonly [IdentityKind, ...IdentityKind[]];

/** Every kind of identity provider that this version has. Adding one takes one folder and one row. */
export const identityKinds: IdentityKinds = [oidc, kubernetes, saml, customToken];

/** What the settings of a provider say about it. */
export function describeProvider(settings: ProviderSettings): ProviderFacts {
  return kindOf(settings, identityKinds).describe(settings);
}

/** Creates the configured providers. */
export function createProviders(
  settings: readonly ProviderSettings[],
  tools: ProviderTools,
  kinds: IdentityKinds = identityKinds,
): ConfiguredProviders {
  const providers = settings.map((one) => {
    const kind = kindOf(one, kinds);
    return { name: one.name, facts: kind.describe(one), provider: kind.create(one, tools) };
  });
  return new ConfiguredProviders(providers, tools.account);
}

function kindOf({ kind, name }: ProviderSettings, kinds: IdentityKinds): IdentityKind {
  const found = kinds.find((one) => one.kind === kind);
  // INVARIANT: settings are read by one of these kinds.
  if (found === undefined) throw new Error(`${name}: no kind of identity provider is named ${kind}`);
  return found;
}
