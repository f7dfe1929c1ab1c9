import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { IdentityFault } from '../../../src/identity/identity-fault.ts';
import type { OidcProviderSettings } from '../../../src/identity/oidc/settings.ts';
import { GuardedFetch, type OutboundAnswer } from '../../../src/outbound/guarded-fetch.ts';
import type { OutboundRequest } from '../../../src/outbound/outbound-request.ts';
import {
  startIdentityProvider,
  type TestIdentityProvider,
  testCaPem,
} from '../../support/identity-provider.ts';
import { tokenProviders } from '../configured.ts';
import { describeProvider } from '../provider-contract.ts';
import { type ProviderCase, type ProviderWorld, startProviderWorld, verdict } from '../provider-world.ts';

const settings = (issuer: string, acceptAzp = false, anyAzp = false): OidcProviderSettings => ({
  kind: 'oidc',
  name: 'test',
  issuer,
  clientIds: ['sts-sidecar', 'second'],
  acceptAzp,
  anyAzp,
  userInfo: false,
});
const oidc: ProviderCase = { kind: 'oidc', claims: {}, settings: (issuer) => settings(issuer) };

describeProvider(oidc);

describeProvider({
  kind: 'oidc, role policies',
  claims: {},
  settings: (issuer) => ({ ...settings(issuer), rolePolicies: ['ReadData'] }),
});

describeProvider({
  kind: 'oidc, policies in a claim, UserInfo',
  claims: {},
  issuer: { userInfo: { sub: 'subject-1', policy: 'ReadData' } },
  accessToken: 'access-token',
  settings: (issuer) => ({ ...settings(issuer), policyClaim: 'policy', userInfo: true }),
});

describe('azp', () => {
  let world: ProviderWorld | undefined;
  afterEach(() => world?.stop());

  it.each<[string, Record<string, unknown>, boolean, string]>([
    ['stands in for an absent aud', { aud: undefined, azp: 'sts-sidecar' }, false, 'accepted'],
    ['does not stand in for another aud', { aud: 'other', azp: 'sts-sidecar' }, false, 'wrong_audience'],
    ['counts beside aud where the provider says so', { aud: 'other', azp: 'sts-sidecar' }, true, 'accepted'],
    ['of another application does not count', { aud: 'other', azp: 'another' }, true, 'wrong_audience'],
    ['must be a text', { azp: ['sts-sidecar'] }, true, 'bad_claims'],
    [
      'cannot stand beside an aud in another case',
      { aud: undefined, azp: 'sts-sidecar', Aud: 'x' },
      false,
      'bad_claims',
    ],
  ])('%s', async (_, claims, acceptAzp, expected) => {
    world = await startProviderWorld({ ...oidc, settings: (issuer) => settings(issuer, acceptAzp) });
    expect(await verdict(world, await world.mint(claims))).toBe(expected);
  });
});

describe('a token that was issued to another client', () => {
  let world: ProviderWorld | undefined;
  afterEach(() => world?.stop());

  it.each<[string, Record<string, unknown>, boolean, string]>([
    ['is refused although its audience is right', { azp: 'another' }, false, 'wrong_audience'],
    [
      'is refused with several audiences',
      { aud: ['sts-sidecar', 'x'], azp: 'another' },
      false,
      'wrong_audience',
    ],
    ['is refused for an empty name', { azp: '' }, false, 'wrong_audience'],
    ['is refused for another spelling', { azp: 'STS-sidecar' }, false, 'wrong_audience'],
    ['is accepted for any configured client', { azp: 'second' }, false, 'accepted'],
    ['is accepted where the provider allows every client', { azp: 'another' }, true, 'accepted'],
    ['needs a right audience even there', { aud: 'other', azp: 'another' }, true, 'wrong_audience'],
    ['cannot stand in for an absent audience', { aud: undefined, azp: 'another' }, true, 'wrong_audience'],
  ])('%s', async (_, claims, anyAzp, expected) => {
    world = await startProviderWorld({ ...oidc, settings: (issuer) => settings(issuer, false, anyAzp) });
    expect(await verdict(world, await world.mint(claims))).toBe(expected);
  });

  it('goes to the provider of that client where several have the issuer', async () => {
    const idp = await startIdentityProvider();
    const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 30 });
    const tools = { fetch, clock: systemClock, observer: { requested: () => 0, keysRefreshed: () => 0 } };
    const providers = tokenProviders(
      ['first', 'second'].map((name) => ({ ...settings(idp.issuer), name, clientIds: [name] })),
      tools,
    );
    const token = await idp.mint({ aud: ['first', 'second'], azp: 'second' });
    expect(await providers.identify(token, systemClock.now())).toMatchObject({
      provider: 'second',
      audience: 'second',
    });
    await fetch.close();
    await idp.stop();
  });
});

describe('documents of an issuer that is not on this machine', () => {
  const issuer = 'https://login.example.com';
  let idp: TestIdentityProvider;
  beforeEach(async () => {
    idp = await startIdentityProvider({ tls: true, userInfo: { sub: 'subject-1' } });
  });
  afterEach(() => idp.stop());

  /** Answers for the public issuer; everything else goes over the network. */
  class PublicIssuer extends GuardedFetch {
    readonly #documents: Readonly<Record<string, unknown>>;
    constructor(documents: Readonly<Record<string, unknown>>) {
      super({ allowHttp: [], timeoutSeconds: 30, caPem: testCaPem });
      this.#documents = documents;
    }
    override async answer(question: OutboundRequest): Promise<OutboundAnswer> {
      const value = this.#documents[question.url.replace(issuer, '')];
      return value === undefined ? super.answer(question) : { status: 200, value };
    }
  }

  async function judge(discovery: Readonly<Record<string, string>>): Promise<string> {
    const fetch = new PublicIssuer({
      '/.well-known/openid-configuration': { issuer, ...discovery },
      '/jwks': { keys: [idp.key().publicJwk] },
    });
    const tools = { fetch, clock: systemClock, observer: { requested: () => 0, keysRefreshed: () => 0 } };
    const providers = tokenProviders([{ ...settings(issuer), userInfo: true }], tools);
    try {
      const token = await idp.mint({ iss: issuer });
      await providers.identify(token, systemClock.now(), { accessToken: 'access-token' });
      return 'accepted';
    } catch (error) {
      if (error instanceof IdentityFault) return error.reason;
      throw error;
    } finally {
      await fetch.close();
    }
  }

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])('lead to no keys at %s', async (host) => {
    const here = idp.issuer.replace('127.0.0.1', host);
    expect(await judge({ jwks_uri: `${here}/jwks`, userinfo_endpoint: `${issuer}/userinfo` })).toBe('no_key');
    expect(idp.requests).toEqual([]);
  });

  it.each(['127.0.0.1', 'localhost'])('lead to no UserInfo at %s', async (host) => {
    const here = idp.issuer.replace('127.0.0.1', host);
    const document = { jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${here}/userinfo` };
    expect(await judge(document)).toBe('bad_answer');
    expect(idp.requests).toEqual([]);
  });
});

describe('discovery', () => {
  let world: ProviderWorld;
  beforeEach(async () => {
    world = await startProviderWorld(oidc);
  });
  afterEach(() => world.stop());

  const discover = (document: unknown): void =>
    world.idp.answerWith((request, response) => {
      if (request.url !== '/.well-known/openid-configuration') return false;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
      return true;
    });

  it('refuses the document of another issuer', async () => {
    const { issuer } = world.idp;
    for (const other of ['https://other.example.com', `${issuer}/`, undefined, [issuer]]) {
      discover({ issuer: other, jwks_uri: `${issuer}/jwks` });
      expect(await verdict(world, await world.mint())).toBe('no_key');
      world.clock.advance(2_000);
    }
    expect(world.idp.requests).not.toContain('/jwks');
  });

  it.each([
    'http://idp.example.com/jwks',
    'file:///etc/passwd',
    'https://user:secret@127.0.0.1/jwks',
    'no address',
    7,
  ])('refuses to fetch keys from %s', async (jwksUri) => {
    discover({ issuer: world.idp.issuer, jwks_uri: jwksUri });
    expect(await verdict(world, await world.mint())).toBe('no_key');
  });
});

describe('an issuer behind a private authority', () => {
  it('is believed with the authority’s certificate only', async () => {
    for (const [caPem, expected] of [
      [testCaPem, 'accepted'],
      [undefined, 'provider_unreachable'],
    ] as const) {
      const world = await startProviderWorld({
        ...oidc,
        issuer: { tls: true },
        ...(caPem === undefined ? {} : { caPem }),
      });
      expect(await verdict(world, await world.mint())).toBe(expected);
      await world.stop();
    }
  });
});

describe('the claims a condition can name', () => {
  it('are texts, booleans and lists of texts, nested names joined by slashes', async () => {
    const world = await startProviderWorld(oidc);
    const token = await world.mint({
      azp: 'second',
      amr: ['mfa', 'pwd'],
      email_verified: true,
      level: 3,
      mixed: ['a', 1],
      'kubernetes.io': { namespace: 'apps', pod: { name: 'p-0' } },
    });
    const { claims } = await world.providers.identify(token, world.clock.now());
    await world.stop();
    expect(Object.fromEntries(claims)).toEqual({
      iss: [world.idp.issuer],
      sub: ['subject-1'],
      aud: ['sts-sidecar'],
      azp: ['second'],
      amr: ['mfa', 'pwd'],
      email_verified: ['true'],
      'kubernetes.io/namespace': ['apps'],
      'kubernetes.io/pod/name': ['p-0'],
    });
  });
});
