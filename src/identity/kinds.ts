import type { IdentityTools } from './ask-provider.ts';
import { KubernetesProvider } from './kubernetes/kubernetes-provider.ts';
import type { KubernetesProviderSettings } from './kubernetes/settings.ts';
import { OidcProvider } from './oidc/oidc-provider.ts';
import type { OidcProviderSettings } from './oidc/settings.ts';
import type { IdentityProvider } from './provider.ts';

/** The settings of every kind, by the name of the kind in the configuration. */
interface KindSettings {
  readonly oidc: OidcProviderSettings;
  readonly kubernetes: KubernetesProviderSettings;
}

/** One identity provider as configured. */
export type IdentityProviderSettings = KindSettings[keyof KindSettings];

/** The constructor of each kind. */
const kinds: {
  readonly [K in keyof KindSettings]: (settings: KindSettings[K], tools: IdentityTools) => IdentityProvider;
} = {
  oidc: (settings, tools) => new OidcProvider(settings, tools),
  kubernetes: (settings, tools) => new KubernetesProvider(settings, tools),
};

/** Creates a provider of the kind that its settings name. */
export function createProvider(settings: IdentityProviderSettings, tools: IdentityTools): IdentityProvider {
  return settings.kind === 'oidc' ? kinds.oidc(settings, tools) : kinds.kubernetes(settings, tools);
}
