import type { Mapping } from '../core/mapping.ts';
import { checkTimes, wrongAudience } from './check-claims.ts';
import type { FederatedIdentity } from './federated-identity.ts';
import { IdentityFault } from './identity-fault.ts';
import { keyFault } from './key-fault.ts';
import type { KeysFault } from './key-source.ts';
import type { AccountName, ProviderFacts } from './kind.ts';
import type {
  CustomTokenIdentity,
  IdentityProvider,
  IdentityProviders,
  Proofs,
  ProviderOf,
  WaitForTurn,
  WaitObserver,
} from './provider.ts';
import type { SamlIdentity } from './saml-identity.ts';
import { shareOfClaims } from './textual-claims.ts';
import { PresentedToken, type UnverifiedToken } from './unverified-token.ts';

const maxShownIssuer = 255;

/** A provider, and what its settings say about it. */
export interface ConfiguredProvider<Provider extends IdentityProvider = IdentityProvider> {
  /** The configured name. */
  readonly name: string;
  readonly facts: ProviderFacts;
  /** The same for the same settings. */
  readonly fingerprint: string;
  readonly provider: Provider;
}

/** How the keys of a provider are. */
export interface ProviderKeys {
  /** The configured name. */
  readonly name: string;
  readonly fault: KeysFault | undefined;
}

/** A provider of signed tokens, with the part of an identity that no token decides. */
interface Issuer {
  readonly provider: ProviderOf<'webIdentity'>;
  readonly vouched: Pick<FederatedIdentity, 'provider' | 'providerArn' | 'issuer' | 'hasOwnRole'>;
}

/** The configured providers. Chooses the provider of a proof, and lets it judge the proof. */
export class ConfiguredProviders implements IdentityProviders {
  readonly #all: readonly ConfiguredProvider[];
  readonly #issuers: readonly Issuer[];
  readonly #byArn: ReadonlyMap<string | undefined, ConfiguredProvider<ProviderOf<'saml'>>>;
  readonly #byName: ReadonlyMap<string, ConfiguredProvider<ProviderOf<'customToken'>>>;

  constructor(all: readonly ConfiguredProvider[], account: AccountName) {
    this.#all = all;
    this.#issuers = all.filter(judges('webIdentity')).flatMap(({ name, facts, provider }) => {
      const { principal, role } = facts;
      if (principal === undefined) return [];
      const { issuer } = principal;
      const hasOwnRole = role !== undefined;
      return [
        { provider, vouched: { provider: name, providerArn: principal.arnIn(account), issuer, hasOwnRole } },
      ];
    });
    this.#byArn = new Map(
      all.filter(judges('saml')).map((one) => [one.facts.principal?.arnIn(account), one]),
    );
    this.#byName = new Map(all.filter(judges('customToken')).map((one) => [one.name, one]));
  }

  /** The provider with exactly these settings, if there is one. */
  withFingerprint(fingerprint: string): IdentityProvider | undefined {
    return this.#all.find((one) => one.fingerprint === fingerprint)?.provider;
  }

  /** Checks that the providers are reachable. Only their observer learns the result. */
  async probe(): Promise<void> {
    await Promise.all(this.#all.map(({ provider }) => provider.probe?.()));
  }

  /** Fetches the keys of every provider whose keys are due. Never throws. */
  async keepKeys(): Promise<void> {
    await Promise.all(this.#all.map(({ provider }) => provider.keepKeys?.()));
  }

  /** Every provider whose keys are fetched, and what is wrong with them. */
  get keys(): readonly ProviderKeys[] {
    return this.#all
      .filter(({ provider }) => provider.keepKeys !== undefined)
      .map(({ name, provider }) => ({ name, fault: provider.keysFault }));
  }

  async webIdentity(
    { token: text, accessToken, provider: wanted }: Proofs['webIdentity'],
    nowMs: number,
    observe?: WaitObserver,
    turn?: WaitForTurn,
  ): Promise<FederatedIdentity> {
    const token = new PresentedToken(text);
    const { provider, vouched } = this.#issuerOf(token, wanted);
    const whenWaiting: WaitObserver = (name) => {
      token.forget();
      return observe?.(name) ?? (() => undefined);
    };
    return judged(vouched.provider, async () => {
      const audiences = provider.acceptedAudiences(token);
      const [audience] = audiences;
      if (audience === undefined) throw wrongAudience();
      const expiresAt = checkTimes(token.claims, nowMs);
      // Now, because the token is forgotten while its signature is verified.
      const ownShare = shareOfClaims(token.claims);
      const beforeReading = async (added?: Mapping): Promise<void> => {
        const share = Math.max(ownShare, added === undefined ? 0 : shareOfClaims(added));
        if (share === 0) return;
        token.forget();
        await turn?.(share, vouched.providerArn);
      };
      const verified = await provider.verify(token, audiences, whenWaiting, { accessToken, beforeReading });
      return { ...verified, ...vouched, audience, expiresAt };
    });
  }

  async saml({ principalArn, assertion }: Proofs['saml'], nowMs: number): Promise<SamlIdentity> {
    const found = this.#byArn.get(principalArn);
    if (found === undefined) throw new IdentityFault('unknown_issuer', "Specified provider doesn't exist");
    return judged(found.name, () => found.provider.identify(assertion, nowMs));
  }

  async customToken(
    { provider: name, token }: Proofs['customToken'],
    _nowMs: number,
    observe?: WaitObserver,
  ): Promise<CustomTokenIdentity> {
    const found = this.#byName.get(name);
    // INVARIANT: the name comes from a generated role, and these are built from the same settings.
    if (found === undefined) throw new Error(`no provider of custom tokens is named ${name}`);
    return judged(name, () => found.provider.identify(token, observe));
  }

  /**
   * Chooses the provider that judges a token, among those that accept its issuer and audience: the provider of the wanted role,
   * or one without a role of its own. If there is none, another one judges the token, and STS denies the role to its user; one
   * that does not accept the audience refuses the token.
   */
  #issuerOf(token: UnverifiedToken, wanted: string | undefined): Issuer {
    const ofIssuer = this.#issuers.filter(({ vouched }) => vouched.issuer === token.issuer);
    const [first] = ofIssuer;
    if (first === undefined) {
      throw new IdentityFault(
        'unknown_issuer',
        `No OpenIDConnect provider found in your account for ${token.issuer.slice(0, maxShownIssuer)}`,
      );
    }
    const accepting = ofIssuer.filter(({ provider }) => provider.acceptedAudiences(token).length > 0);
    const meant = ({ vouched: { provider, hasOwnRole } }: Issuer): boolean =>
      wanted === undefined ? !hasOwnRole : provider === wanted;
    return accepting.find(meant) ?? accepting[0] ?? first;
  }
}

function judges<Form extends IdentityProvider['form']>(form: Form) {
  return (one: ConfiguredProvider): one is ConfiguredProvider<ProviderOf<Form>> => one.provider.form === form;
}

async function judged<T>(provider: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw withProvider(keyFault(error), provider);
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
