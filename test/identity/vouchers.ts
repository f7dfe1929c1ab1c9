import { Secret } from '../../src/core/secret.ts';
import { GuardedFetch } from '../../src/outbound/guarded-fetch.ts';
import { serviceAccountClaims, startIdentityProvider, testCaPem } from '../support/identity-provider.ts';
import { TestClock } from '../support/sidecar.ts';
import { startWebhook } from '../support/webhook.ts';
import { configured, type IssuerSettings, tokenProviders } from './configured.ts';
import { createSamlWorld } from './saml/saml-world.ts';

/** What all kinds of providers have in common: a caller presents a proof, and the provider says who it is. */
export interface Voucher {
  /** The configured name. */
  readonly name: string;
  identify(shown: string): Promise<{ readonly provider: string }>;
  /** A valid proof that was not shown before. */
  good(): Promise<string>;
  /** A proof of the same form that the provider does not accept. */
  foreign(): Promise<string>;
  stop(): Promise<void>;
}

/** How a provider of each kind is started. */
export const vouchers: Readonly<Record<string, () => Promise<Voucher>>> = {
  oidc: () =>
    ofTokens({}, (issuer) => ({
      kind: 'oidc',
      name: 'tokens',
      issuer,
      clientIds: ['sts-sidecar'],
      acceptAzp: false,
      anyAzp: false,
      userInfo: false,
    })),
  kubernetes: () =>
    ofTokens(serviceAccountClaims('apps', 'web'), (issuer) => ({
      kind: 'kubernetes',
      name: 'tokens',
      issuer,
      audiences: ['sts-sidecar'],
      tokenReview: false,
    })),
  saml: async () => {
    const world = createSamlWorld();
    return {
      name: 'company',
      identify: (shown) => world.identify(shown),
      good: async () => world.idp.respond(),
      foreign: async () => world.idp.respond({}, { key: world.other.privateKey }),
      stop: async () => undefined,
    };
  },
  'custom-token': async () => {
    const webhook = await startWebhook();
    const { fetch, tools } = connection();
    const settings = {
      kind: 'custom-token',
      name: 'plugin',
      url: webhook.url,
      authToken: new Secret('Bearer of-the-sidecar'),
      rolePolicies: ['ReadData'],
    } as const;
    const providers = configured([settings], tools);
    return {
      name: 'plugin',
      identify: (shown) => providers.customToken({ provider: 'plugin', token: shown }, tools.clock.now()),
      good: async () => 'aaa',
      foreign: async () => 'nobody-has-this',
      stop: async () => {
        await fetch.close();
        await webhook.stop();
      },
    };
  },
};

async function ofTokens(
  claims: Readonly<Record<string, unknown>>,
  settings: (issuer: string) => IssuerSettings,
): Promise<Voucher> {
  const idp = await startIdentityProvider({ tls: true });
  const { fetch, tools } = connection();
  const providers = tokenProviders([settings(idp.issuer)], tools);
  return {
    name: 'tokens',
    identify: (shown) => providers.identify(shown, tools.clock.now()),
    good: () => idp.mint(claims),
    foreign: () => idp.mint({ ...claims, aud: 'another-service' }),
    stop: async () => {
      await fetch.close();
      await idp.stop();
    },
  };
}

function connection() {
  const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 30, caPem: testCaPem });
  const observer = { requested: () => undefined, keysRefreshed: () => undefined };
  return { fetch, tools: { fetch, clock: new TestClock(), observer } };
}
