import { fingerprintOf } from '../core/fingerprint.ts';
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

/** What providers are created from, besides their settings. */
interface ProviderOrigins {
  /** Those of this version when absent. */
  readonly kinds?: IdentityKinds | undefined;
  /** The providers of the configuration before. */
  readonly previous?: ConfiguredProviders | undefined;
}

/** Creates the configured providers. Those that `previous` has with the same settings are kept. */
export function createProviders(
  settings: readonly ProviderSettings[],
  tools: ProviderTools,
  { kinds = identityKinds, previous }: ProviderOrigins = {},
): ConfiguredProviders {
  const providers = settings.map((one) => {
    const kind = kindOf(one, kinds);
    const fingerprint = fingerprintOf(one);
    const provider = previous?.withFingerprint(fingerprint) ?? kind.create(one, tools);
    return { name: one.name, facts: kind.describe(one), fingerprint, provider };
  });
  return new ConfiguredProviders(providers, tools.account);
}

function kindOf({ kind, name }: ProviderSettings, kinds: IdentityKinds): IdentityKind {
  const found = kinds.find((one) => one.kind === kind);
  // INVARIANT: settings are read by one of these kinds.
  if (found === undefined) throw new Error(`${name}: no kind of identity provider is named ${kind}`);
  return found;
}
