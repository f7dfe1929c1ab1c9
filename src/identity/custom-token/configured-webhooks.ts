import type { IdentityTools } from '../ask-provider.ts';
import type { CustomTokenIdentity, CustomTokenProviders } from '../custom-token-identity.ts';
import type { WaitObserver } from '../provider-room.ts';
import { CustomTokenProvider } from './custom-token-provider.ts';
import type { CustomTokenProviderSettings } from './settings.ts';

/** The configured webhooks, by the name of their provider. */
export class ConfiguredWebhooks implements CustomTokenProviders {
  readonly #providers: ReadonlyMap<string, CustomTokenProvider>;

  constructor(settings: readonly CustomTokenProviderSettings[], tools: IdentityTools) {
    this.#providers = new Map(settings.map((one) => [one.name, new CustomTokenProvider(one, tools)]));
  }

  async identify(name: string, token: string, observe?: WaitObserver): Promise<CustomTokenIdentity> {
    const provider = this.#providers.get(name);
    // INVARIANT: the name comes from a generated role, and these are built from the same settings.
    if (provider === undefined) throw new Error(`no webhook is named ${name}`);
    return provider.identify(token, observe);
  }

  /** Checks that the webhooks are reachable. Only the observer learns the result. */
  async probe(): Promise<void> {
    await Promise.all([...this.#providers.values()].map((one) => one.probe()));
  }
}
