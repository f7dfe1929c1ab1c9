import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OidcProviderSettings } from '../../../src/identity/oidc/settings.ts';
import { testCaPem } from '../../support/identity-provider.ts';
import { describeProvider } from '../provider-contract.ts';
import { type ProviderCase, type ProviderWorld, startProviderWorld, verdict } from '../provider-world.ts';

const settings = (issuer: string, acceptAzp = false): OidcProviderSettings => ({
  kind: 'oidc',
  name: 'test',
  issuer,
  clientIds: ['sts-sidecar', 'second'],
  acceptAzp,
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
    ['of somebody else does not count', { aud: 'other', azp: 'another' }, true, 'wrong_audience'],
    ['must be a text', { azp: ['sts-sidecar'] }, true, 'bad_claims'],
  ])('%s', async (_, claims, acceptAzp, expected) => {
    world = await startProviderWorld({ ...oidc, settings: (issuer) => settings(issuer, acceptAzp) });
    expect(await verdict(world, await world.mint(claims))).toBe(expected);
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
      azp: 'app',
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
      azp: ['app'],
      amr: ['mfa', 'pwd'],
      email_verified: ['true'],
      'kubernetes.io/namespace': ['apps'],
      'kubernetes.io/pod/name': ['p-0'],
    });
  });
});
