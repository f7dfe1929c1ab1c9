import type { UsedNames } from '../../state/shared-state.ts';
import { IdentityFault } from '../identity-fault.ts';
import type { SamlIdentity, SamlProviders } from '../saml-identity.ts';
import { type SamlAccount, SamlProvider } from './saml-provider.ts';
import type { SamlProviderSettings } from './settings.ts';

/** The configured SAML providers. The one that a request names judges the assertion. */
export class ConfiguredSamlProviders implements SamlProviders {
  readonly #providers: ReadonlyMap<string, SamlProvider>;

  constructor(settings: readonly SamlProviderSettings[], account: SamlAccount, used: UsedNames) {
    const providers = settings.map((one) => new SamlProvider(one, account, used));
    this.#providers = new Map(providers.map((provider) => [provider.arn, provider]));
  }

  async identify(principalArn: string, assertion: string, nowMs: number): Promise<SamlIdentity> {
    const provider = this.#providers.get(principalArn);
    if (provider === undefined) {
      throw new IdentityFault('unknown_issuer', "Specified provider doesn't exist");
    }
    try {
      return await provider.identify(assertion, nowMs);
    } catch (error) {
      throw error instanceof IdentityFault ? withProvider(error, provider.name) : error;
    }
  }
}

function withProvider({ reason, message, detail, cause }: IdentityFault, provider: string): IdentityFault {
  return new IdentityFault(reason, message, { provider, cause, ...(detail === undefined ? {} : { detail }) });
}
