import type { IdentityTools } from '../../src/identity/ask-provider.ts';
import type { ConfiguredProviders } from '../../src/identity/configured-providers.ts';
import type { CustomTokenProviderSettings } from '../../src/identity/custom-token/settings.ts';
import type { FederatedIdentity } from '../../src/identity/federated-identity.ts';
import { createProviders } from '../../src/identity/kinds.ts';
import type { KubernetesProviderSettings } from '../../src/identity/kubernetes/settings.ts';
import type { OidcProviderSettings } from '../../src/identity/oidc/settings.ts';
import type { Proofs, WaitForTurn, WaitObserver } from '../../src/identity/provider.ts';
import type { SamlProviderSettings } from '../../src/identity/saml/settings.ts';
import { MemoryState } from '../../src/state/memory-state.ts';
import type { UsedNames } from '../../src/state/shared-state.ts';

/** Settings of a provider whose tokens name their issuer. */
export type IssuerSettings = OidcProviderSettings | KubernetesProviderSettings;

const account = { id: '123456789012', partition: 'aws' };

/** Providers of the test account, created as the program creates them. */
export function configured(
  settings: readonly (IssuerSettings | SamlProviderSettings | CustomTokenProviderSettings)[],
  tools: IdentityTools,
  used: UsedNames = new MemoryState(),
): ConfiguredProviders {
  return createProviders(settings, { ...tools, account, used });
}

/** Providers of signed tokens. */
export interface TokenProviders {
  identify(
    token: string,
    nowMs: number,
    circumstances?: Omit<Proofs['webIdentity'], 'token'> & {
      readonly observe?: WaitObserver;
      readonly turn?: WaitForTurn;
    },
  ): Promise<FederatedIdentity>;
}

/** {@link configured} for tokens that name their issuer. */
export function tokenProviders(settings: readonly IssuerSettings[], tools: IdentityTools): TokenProviders {
  const providers = configured(settings, tools);
  return {
    identify: (token, nowMs, { observe, turn, ...others } = {}) =>
      providers.webIdentity({ token, ...others }, nowMs, observe, turn),
  };
}
