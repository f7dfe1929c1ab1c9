import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import { serviceAccountClaims, testCaFile, testCaPem } from '../support/identity-provider.ts';
import { type ProviderCase, type ProviderWorld, startProviderWorld } from './provider-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'waiting-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'own-token');
afterAll(() => rmSync(folder, { recursive: true }));

/** Providers that are asked about every token, and the path of that question. */
const cases: readonly (readonly [string, string, ProviderCase])[] = [
  [
    'UserInfo',
    '/userinfo',
    {
      kind: 'oidc',
      claims: {},
      accessToken: 'access-token',
      issuer: { userInfo: { sub: 'subject-1' } },
      settings: (issuer) => ({
        kind: 'oidc',
        name: 'test',
        issuer,
        clientIds: ['sts-sidecar'],
        acceptAzp: false,
        anyAzp: false,
        userInfo: true,
      }),
    },
  ],
  [
    'a TokenReview',
    '/apis/authentication.k8s.io/v1/tokenreviews',
    {
      kind: 'kubernetes',
      claims: serviceAccountClaims('apps', 'web'),
      issuer: { tls: true, jwksPath: '/openid/v1/jwks' },
      caPem: testCaPem,
      settings: (issuer) => ({
        kind: 'kubernetes',
        name: 'test',
        issuer,
        audiences: ['sts-sidecar'],
        tokenReview: true,
        apiServer: { url: issuer, caFile: testCaFile, tokenFile },
      }),
    },
  ],
];

describe.each(cases)('calls that wait for %s', (_, path, one) => {
  let world: ProviderWorld;
  let questions: number;
  let held: ServerResponse[];
  beforeEach(async () => {
    world = await startProviderWorld(one);
    questions = 0;
    held = [];
  });
  afterEach(() => world.stop());

  /** From now on, leaves questions without an answer. */
  function hold(): void {
    world.idp.answerWith((request, response) => {
      if (request.url !== path) return false;
      questions += 1;
      held.push(response);
      return true;
    });
  }

  /** Hangs up on what was held, and on every question from now on. */
  function hangUp(): void {
    world.idp.answerWith((request) => {
      if (request.url !== path) return false;
      questions += 1;
      request.socket.destroy();
      return true;
    });
    for (const response of held) response.destroy();
  }

  /** How a call ends, and how often it waited. The first time is for its signature. */
  async function call(token: string): Promise<string> {
    let waits = 0;
    let told = 0;
    const observe = (): (() => void) => {
      waits += 1;
      told += 1;
      return () => {
        waits -= 1;
      };
    };
    try {
      await world.providers.identify(token, world.clock.now(), { observe });
      return 'accepted';
    } catch (error) {
      if (!(error instanceof IdentityFault)) throw error;
      expect(waits).toBe(0);
      return `${error.reason} of ${error.provider}, ${told}`;
    }
  }

  it('are bounded: the call after 16 and a queue of 16 is refused', async () => {
    const token = await world.mint();
    // The keys are fetched once, by a call of its own.
    await call(token);
    hold();
    const early: string[] = [];
    const calls = Array.from({ length: 40 }, async () => {
      const end = await call(token);
      early.push(end);
      return end;
    });
    const isRefused = (end: string): boolean => end === 'provider_busy of test, 1';
    await expect.poll(() => early.filter(isRefused).length).toBe(8);
    await expect.poll(() => held.length).toBe(16);
    hangUp();
    const ends = await Promise.all(calls);
    expect(ends.filter(isRefused)).toHaveLength(8);
    expect(ends.filter((end) => end === 'accepted')).toEqual([]);
    expect(questions).toBeLessThanOrEqual(32);
  });

  it('do not keep calls with an unverified token from being refused', async () => {
    const token = await world.mint();
    await call(token);
    hold();
    const calls = Array.from({ length: 32 }, () => call(token));
    await expect.poll(() => held.length).toBe(16);
    expect(await call(await world.mint({}, { kid: 'made-up' }))).toBe('no_key of test, 1');
    hangUp();
    await Promise.all(calls);
  });
});

describe('tokens signed with a key that is published while they wait', () => {
  it('are accepted, those of the queue too', async () => {
    const [, , one] = cases[0] ?? [];
    if (one === undefined) throw new Error('no case');
    const world = await startProviderWorld(one);
    const judge = (token: string): Promise<string> =>
      world.providers.identify(token, world.clock.now()).then(
        () => 'accepted',
        (error: unknown) => (error instanceof IdentityFault ? error.reason : String(error)),
      );
    expect(await judge(await world.mint())).toBe('accepted');
    await world.idp.rotate();
    const rotated = await world.mint();
    const ends = await Promise.all(Array.from({ length: 20 }, () => judge(rotated)));
    expect(ends).toEqual(Array.from({ length: 20 }, () => 'accepted'));
    expect(world.requests.filter(({ operation }) => operation === 'jwks')).toHaveLength(2);
    await world.stop();
  });
});
