import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { PresentedToken } from '../../src/identity/unverified-token.ts';
import { serviceAccountClaims, testCaFile, testCaPem } from '../support/identity-provider.ts';
import { type ProviderCase, startProviderWorld } from './provider-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'turns-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'own-token');
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

const numbered = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`c${at}`, '']));
const clientIds = ['sts-sidecar'];
const settings = { name: 'test', acceptAzp: false, anyAzp: false };
const cases: readonly (readonly [string, ProviderCase])[] = [
  [
    'an ID token',
    {
      kind: 'oidc',
      claims: {},
      settings: (issuer) => ({ ...settings, kind: 'oidc', issuer, clientIds, userInfo: false }),
    },
  ],
  [
    'an ID token with UserInfo',
    {
      kind: 'oidc',
      claims: {},
      accessToken: 'access-token',
      issuer: { userInfo: { sub: 'subject-1' } },
      settings: (issuer) => ({ ...settings, kind: 'oidc', issuer, clientIds, userInfo: true }),
    },
  ],
  [
    'a token of a service account with a review',
    {
      kind: 'kubernetes',
      claims: serviceAccountClaims('apps', 'web'),
      issuer: { tls: true, jwksPath: '/openid/v1/jwks' },
      caPem: testCaPem,
      settings: (issuer) => ({
        kind: 'kubernetes',
        name: 'test',
        issuer,
        audiences: clientIds,
        tokenReview: true,
        apiServer: { url: issuer, caFile: testCaFile, tokenFile },
      }),
    },
  ],
];

/** Identifies the holder of a token with those claims, and returns the turns that were requested. */
async function identify(one: ProviderCase, claims: Record<string, unknown>, turn?: () => Promise<void>) {
  const world = await startProviderWorld(one);
  const subject = String(one.claims['sub'] ?? 'subject-1');
  world.idp.answerWith((request, response) => {
    if (request.url?.endsWith('/tokenreviews') !== true) return false;
    const user = { username: subject };
    const status = { authenticated: true, audiences: clientIds, user };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
    return true;
  });
  const turns: [share: number, owner: string][] = [];
  try {
    const identity = await world.providers.identify(await world.mint(claims), world.clock.now(), {
      turn: async (share, owner) => {
        turns.push([share, owner]);
        await turn?.();
      },
    });
    return { identity, turns };
  } finally {
    await world.stop();
  }
}

describe.each(cases)('%s', (_, one) => {
  it('with many claims is read in a turn of its provider, once it has passed every other check', async () => {
    const { identity, turns } = await identify(one, numbered);
    expect(turns).toEqual([[expect.any(Number), identity.providerArn]]);
    expect(identity.claims.size).toBeGreaterThan(200);
  });

  it('with usual claims waits for no turn', async () => {
    expect((await identify(one, { groups: ['a', 'b'] })).turns).toEqual([]);
  });

  it('is not kept in parsed form while it waits for its turn, and is never read when the turn does not come', async () => {
    const forgotten = vi.spyOn(PresentedToken.prototype, 'forget');
    const read = vi.spyOn(PresentedToken.prototype, 'claims', 'get');
    let readBefore = 0;
    const leave = async (): Promise<void> => {
      const order = forgotten.mock.invocationCallOrder.at(-1) ?? 0;
      expect(order).toBeGreaterThan(read.mock.invocationCallOrder.at(-1) ?? 0);
      readBefore = read.mock.calls.length;
      throw new Error('gave way');
    };
    await expect(identify(one, numbered, leave)).rejects.toThrow('gave way');
    expect(read).toHaveBeenCalledTimes(readBefore);
  });
});

it('many claims that UserInfo adds are read in a turn too', async () => {
  const [, [, withUserInfo] = []] = cases;
  if (withUserInfo === undefined) throw new Error('no case');
  const userInfo = { sub: 'subject-1', ...numbered };
  expect((await identify({ ...withUserInfo, issuer: { userInfo } }, {})).turns).toHaveLength(1);
});
