import { IdentityFault } from '../../src/identity/identity-fault.ts';
import type { IdentityRequest } from '../../src/identity/observer.ts';
import { GuardedFetch } from '../../src/outbound/guarded-fetch.ts';
import {
  type IdentityProviderOptions,
  startIdentityProvider,
  type TestIdentityProvider,
} from '../support/identity-provider.ts';
import { TestClock } from '../support/sidecar.ts';
import { type IssuerSettings, type TokenProviders, tokenProviders } from './configured.ts';

/** One kind of provider, for the contract suite. */
export interface ProviderCase {
  readonly kind: string;
  /** Claims that a token of this kind must have beside the registered ones. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Settings of a provider for the issuer, for the audience `sts-sidecar`. */
  settings(issuer: string): IssuerSettings;
  /** Options of the issuer. */
  readonly issuer?: Pick<IdentityProviderOptions, 'tls' | 'jwksPath' | 'userInfo'>;
  /** What comes along with every token. */
  readonly accessToken?: string;
  readonly caPem?: string;
}

/** The issuer and the provider under test. */
export interface ProviderWorld {
  readonly clock: TestClock;
  readonly idp: TestIdentityProvider;
  readonly providers: TokenProviders;
  readonly requests: IdentityRequest[];
  /** A token with the kind's own claims. */
  mint(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  /** Changes how long an answer may take, for issuers that never give one. */
  limit(timeoutSeconds: number): void;
  stop(): Promise<void>;
}

/** Starts an issuer and a provider for it, with a time limit that no busy machine reaches. */
export async function startProviderWorld(one: ProviderCase): Promise<ProviderWorld> {
  const clock = new TestClock();
  const idp = await startIdentityProvider({ clock, ...one.issuer });
  const requests: IdentityRequest[] = [];
  const outbound = {
    allowHttp: [],
    timeoutSeconds: 30,
    ...(one.caPem === undefined ? {} : { caPem: one.caPem }),
  };
  const fetch = new GuardedFetch(outbound);
  const observer = {
    requested: (request: IdentityRequest) => requests.push(request),
    keysRefreshed: () => 0,
  };
  const configured = tokenProviders([one.settings(idp.issuer)], { fetch, clock, observer });
  const providers: TokenProviders = {
    identify: (token, nowMs, { accessToken = one.accessToken, ...others } = {}) =>
      configured.identify(token, nowMs, { accessToken, ...others }),
  };
  return {
    clock,
    idp,
    providers,
    requests,
    mint: (claims = {}, header = {}) => idp.mint({ ...one.claims, ...claims }, header),
    limit: (timeoutSeconds) => {
      outbound.timeoutSeconds = timeoutSeconds;
    },
    stop: async () => {
      await fetch.close();
      await idp.stop();
    },
  };
}

/** The reason why a token is refused; `accepted` when it is not. */
export async function verdict({ providers, clock }: ProviderWorld, token: string): Promise<string> {
  try {
    await providers.identify(token, clock.now());
    return 'accepted';
  } catch (error) {
    if (error instanceof IdentityFault) return error.reason;
    throw error;
  }
}
