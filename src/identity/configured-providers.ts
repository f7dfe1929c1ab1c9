import type { IdentityTools } from './ask-provider.ts';
import { wrongAudience } from './check-claims.ts';
import type { FederatedIdentity } from './federated-identity.ts';
import { IdentityFault } from './identity-fault.ts';
import { keyFault } from './key-fault.ts';
import { createProvider, type IdentityProviderSettings } from './kinds.ts';
import type { IdentityProvider, IdentityProviders, TokenCircumstances, WaitObserver } from './provider.ts';
import { PresentedToken, type UnverifiedToken } from './unverified-token.ts';

const maxShownIssuer = 255;

/** The configured providers. Chooses the provider of a token by its issuer and audiences, and lets it judge the token. */
export class ConfiguredProviders implements IdentityProviders {
  readonly #providers: readonly IdentityProvider[];

  constructor(settings: readonly IdentityProviderSettings[], tools: IdentityTools) {
    this.#providers = settings.map((one) => createProvider(one, tools));
  }

  async identify(
    text: string,
    nowMs: number,
    { accessToken, observe, provider: wanted }: TokenCircumstances = {},
  ): Promise<FederatedIdentity> {
    const token = new PresentedToken(text);
    const provider = this.#providerOf(token, wanted);
    const whenWaiting: WaitObserver = (name) => {
      token.forget();
      return observe?.(name) ?? (() => undefined);
    };
    try {
      return await provider.verify(token, nowMs, accessToken, whenWaiting);
    } catch (error) {
      throw withProvider(keyFault(error), provider.name);
    }
  }

  /**
   * Chooses the provider that judges a token, among those that accept its issuer and audience: the provider of the wanted role,
   * or one without a role of its own. If there is none, another one judges the token, and STS denies the role to its user.
   */
  #providerOf(token: UnverifiedToken, wanted: string | undefined): IdentityProvider {
    const ofIssuer = this.#providers.filter(({ issuer }) => issuer === token.issuer);
    if (ofIssuer.length === 0) {
      throw new IdentityFault(
        'unknown_issuer',
        `No OpenIDConnect provider found in your account for ${token.issuer.slice(0, maxShownIssuer)}`,
      );
    }
    const accepting = ofIssuer.filter((one) => one.accepts(token));
    const meant = ({ name, hasOwnRole }: IdentityProvider): boolean =>
      wanted === undefined ? !hasOwnRole : name === wanted;
    const provider = accepting.find(meant) ?? accepting[0];
    if (provider !== undefined) return provider;
    const [first] = ofIssuer;
    throw first === undefined ? wrongAudience() : withProvider(wrongAudience(), first.name);
  }
}

function withProvider(error: unknown, provider: string): unknown {
  if (!(error instanceof IdentityFault)) return error;
  const { reason, message, detail, cause } = error;
  return new IdentityFault(reason, message, {
    provider,
    cause,
    ...(detail === undefined ? {} : { detail }),
  });
}
