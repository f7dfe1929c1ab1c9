import { wrongAudience } from './check-claims.ts';
import type { CustomTokenIdentity } from './custom-token-identity.ts';
import type { FederatedIdentity } from './federated-identity.ts';
import { IdentityFault } from './identity-fault.ts';
import { keyFault } from './key-fault.ts';
import type {
  AssertionProvider,
  IdentityProvider,
  IdentityProviders,
  PlainTokenProvider,
  Proofs,
  WaitObserver,
  WebIdentityProvider,
} from './provider.ts';
import type { SamlIdentity } from './saml-identity.ts';
import { PresentedToken, type UnverifiedToken } from './unverified-token.ts';

const maxShownIssuer = 255;

/** The configured providers. Chooses the provider of a proof, and lets it judge the proof. */
export class ConfiguredProviders implements IdentityProviders {
  readonly #all: readonly IdentityProvider[];
  readonly #ofIssuers: readonly WebIdentityProvider[];
  readonly #byArn: ReadonlyMap<string, AssertionProvider>;
  readonly #byName: ReadonlyMap<string, PlainTokenProvider>;

  constructor(providers: readonly IdentityProvider[]) {
    this.#all = providers;
    this.#ofIssuers = providers.filter((one) => one.form === 'webIdentity');
    this.#byArn = new Map(providers.filter((one) => one.form === 'saml').map((one) => [one.arn, one]));
    this.#byName = new Map(
      providers.filter((one) => one.form === 'customToken').map((one) => [one.name, one]),
    );
  }

  /** Checks that the providers are reachable. Only their observer learns the result. */
  async probe(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.probe?.()));
  }

  async webIdentity(
    { token: text, accessToken, provider: wanted }: Proofs['webIdentity'],
    nowMs: number,
    observe?: WaitObserver,
  ): Promise<FederatedIdentity> {
    const token = new PresentedToken(text);
    const provider = this.#issuerOf(token, wanted);
    const whenWaiting: WaitObserver = (name) => {
      token.forget();
      return observe?.(name) ?? (() => undefined);
    };
    return judged(provider, provider.verify(token, nowMs, accessToken, whenWaiting));
  }

  async saml({ principalArn, assertion }: Proofs['saml'], nowMs: number): Promise<SamlIdentity> {
    const provider = this.#byArn.get(principalArn);
    if (provider === undefined) {
      throw new IdentityFault('unknown_issuer', "Specified provider doesn't exist");
    }
    return judged(provider, provider.identify(assertion, nowMs));
  }

  async customToken(
    { provider: name, token }: Proofs['customToken'],
    _nowMs: number,
    observe?: WaitObserver,
  ): Promise<CustomTokenIdentity> {
    const provider = this.#byName.get(name);
    // INVARIANT: the name comes from a generated role, and these are built from the same settings.
    if (provider === undefined) throw new Error(`no provider of custom tokens is named ${name}`);
    return judged(provider, provider.identify(token, observe));
  }

  /**
   * Chooses the provider that judges a token, among those that accept its issuer and audience: the provider of the wanted role,
   * or one without a role of its own. If there is none, another one judges the token, and STS denies the role to its user.
   */
  #issuerOf(token: UnverifiedToken, wanted: string | undefined): WebIdentityProvider {
    const ofIssuer = this.#ofIssuers.filter(({ issuer }) => issuer === token.issuer);
    const [first] = ofIssuer;
    if (first === undefined) {
      throw new IdentityFault(
        'unknown_issuer',
        `No OpenIDConnect provider found in your account for ${token.issuer.slice(0, maxShownIssuer)}`,
      );
    }
    const accepting = ofIssuer.filter((one) => one.accepts(token));
    const meant = ({ name, hasOwnRole }: WebIdentityProvider): boolean =>
      wanted === undefined ? !hasOwnRole : name === wanted;
    const provider = accepting.find(meant) ?? accepting[0];
    if (provider === undefined) throw withProvider(wrongAudience(), first.name);
    return provider;
  }
}

async function judged<T>({ name }: IdentityProvider, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw withProvider(keyFault(error), name);
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
