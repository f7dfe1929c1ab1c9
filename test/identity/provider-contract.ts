import { createHmac, createPublicKey } from 'node:crypto';
import { CompactSign, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKey, publishable, startIdentityProvider } from '../support/identity-provider.ts';
import { rsaKey } from '../support/keys.ts';
import type { TestClock } from '../support/sidecar.ts';
import {
  flood,
  hangUp,
  type Listener,
  redirect,
  silent,
  status,
  text,
  trickle,
} from './misbehaving-issuer.ts';
import { type ProviderCase, type ProviderWorld, startProviderWorld, verdict } from './provider-world.ts';
import { describeWithdrawal } from './withdrawal-contract.ts';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = (clock: TestClock): number => Math.floor(clock.now() / 1000);

/** What every kind of provider does with tokens, keys and an issuer that misbehaves. */
export function describeProvider(one: ProviderCase): void {
  describeWithdrawal(one);
  describe(`a provider of kind ${one.kind}`, () => {
    let world: ProviderWorld;
    beforeEach(async () => {
      world = await startProviderWorld(one);
    });
    afterEach(() => world.stop());
    const judge = async (token: string | Promise<string>): Promise<string> => verdict(world, await token);
    const now = (): number => seconds(world.clock);

    it('accepts a token of its issuer and says who its subject is', async () => {
      const identity = await world.providers.identify(
        await world.mint({ aud: ['x', 'sts-sidecar'] }),
        now() * 1000,
      );
      expect(identity).toMatchObject({ issuer: world.idp.issuer, audience: 'sts-sidecar' });
      expect(identity.claims.get('aud')).toEqual(['sts-sidecar']);
      expect(identity.claims.get('sub')).toEqual([identity.subject]);
    });

    describe('the claims', () => {
      it.each<[string, (at: number) => Record<string, unknown>, string]>([
        ['expired', (at) => ({ exp: at - 1 }), 'expired'],
        ['expired this very second', (at) => ({ exp: at }), 'expired'],
        ['not yet valid', (at) => ({ nbf: at + 120 }), 'not_yet_valid'],
        ['issued in the future', (at) => ({ iat: at + 120 }), 'not_yet_valid'],
        ['without expiry', () => ({ exp: undefined }), 'bad_claims'],
        ['without time of issue', () => ({ iat: undefined }), 'bad_claims'],
        ['with an expiry in quotes', (at) => ({ exp: String(at + 600) }), 'bad_claims'],
        ['with a negative expiry', () => ({ exp: -1 }), 'bad_claims'],
        ['without subject', () => ({ sub: undefined }), 'bad_claims'],
        ['with an empty subject', () => ({ sub: '' }), 'bad_claims'],
        ['with a subject of 256 characters', () => ({ sub: 'x'.repeat(256) }), 'bad_claims'],
        ['with a subject that is a list', () => ({ sub: ['a'] }), 'bad_claims'],
        ['for another audience', () => ({ aud: 'other' }), 'wrong_audience'],
        ['for a part of the audience', () => ({ aud: 'sts' }), 'wrong_audience'],
        ['for the audience in another letter case', () => ({ aud: 'STS-Sidecar' }), 'wrong_audience'],
        ['for no audience', () => ({ aud: undefined }), 'wrong_audience'],
        ['for an empty list', () => ({ aud: [] }), 'wrong_audience'],
        ['for a list that holds more than texts', () => ({ aud: ['sts-sidecar', 1] }), 'bad_claims'],
        ['of another issuer', () => ({ iss: 'https://other.example.com' }), 'unknown_issuer'],
        ['without issuer', () => ({ iss: undefined }), 'bad_claims'],
        ['with malformed session tags', () => ({ 'https://aws.amazon.com/tags': [] }), 'bad_claims'],
        ['with claims that differ only in case', () => ({ Team: 'a', team: 'b' }), 'bad_claims'],
        [
          'with claims that differ only in a final sigma',
          () => ({ '\u03a3': 'a', '\u03c2': 'b' }),
          'bad_claims',
        ],
        ['with too many claims', () => numbered(1_001, 'c'), 'bad_claims'],
        ['with a claim whose name is too long', () => ({ ['c'.repeat(1_025)]: 'x' }), 'bad_claims'],
        [
          'with many claims in an object whose name is long',
          () => ({ ['c'.repeat(1_000)]: numbered(66, 'n') }),
          'bad_claims',
        ],
      ])('refuse a token %s', async (_, claims, reason) => {
        expect(await judge(world.mint(claims(now())))).toBe(reason);
      });

      it('refuse an issuer that differs by a slash or in case', async () => {
        expect(await judge(world.mint({ iss: `${world.idp.issuer}/` }))).toBe('unknown_issuer');
        expect(await judge(world.mint({ iss: world.idp.issuer.toUpperCase() }))).toBe('unknown_issuer');
      });

      it('accept a clock of the issuer that is a minute ahead', async () => {
        expect(await judge(world.mint({ iat: now() + 50, nbf: now() + 50 }))).toBe('accepted');
      });
    });

    describe('the signature', () => {
      it('refuses a changed payload and a changed signature', async () => {
        const [head = '', body = '', signature = ''] = (await world.mint()).split('.');
        const claims: Record<string, unknown> = JSON.parse(Buffer.from(body, 'base64url').toString());
        expect(
          await judge(`${head}.${encode({ ...claims, sub: `${String(claims['sub'])}2` })}.${signature}`),
        ).toBe('bad_signature');
        const other = signature.startsWith('A') ? 'B' : 'A';
        expect(await judge(`${head}.${body}.${other}${signature.slice(1)}`)).toBe('bad_signature');
      });

      it('refuses another key under the issuer’s key id', async () => {
        const foreign = await publishable(rsaKey('foreign'), 'RS256', world.idp.key().id);
        expect(await judge(resign(world, foreign.privateKey, {}))).toBe('bad_signature');
      });

      it('refuses no algorithm in any spelling', async () => {
        const [, body = ''] = (await world.mint()).split('.');
        for (const alg of ['none', 'None', 'NONE', '', undefined]) {
          for (const signature of ['', 'AA']) {
            expect(await judge(`${encode({ alg, kid: world.idp.key().id })}.${body}.${signature}`)).toBe(
              'malformed',
            );
          }
        }
      });

      it('refuses HS256 with the public key, the key set or a client secret as its secret', async () => {
        const { publicJwk, id } = world.idp.key();
        const pem = createPublicKey({ key: toNodeJwk(publicJwk), format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        });
        const [, body = ''] = (await world.mint()).split('.');
        for (const secret of [pem, JSON.stringify(publicJwk), publicJwk.n ?? '', 'client-secret', '']) {
          const head = encode({ alg: 'HS256', kid: id });
          const mac = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
          expect(await judge(`${head}.${body}.${mac}`)).toBe('malformed');
        }
      });

      it('refuses HS256 even when the issuer publishes a symmetric key', async () => {
        const secret = Buffer.alloc(32, 1);
        const symmetric = { kty: 'oct', k: secret.toString('base64url'), kid: 'sym', alg: 'HS256' };
        world.idp.publish([symmetric, world.idp.key().publicJwk]);
        const [, body = ''] = (await world.mint()).split('.');
        const head = encode({ alg: 'HS256', kid: 'sym' });
        const mac = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
        expect(await judge(`${head}.${body}.${mac}`)).toBe('malformed');
      });

      it('refuses an algorithm that the key was not made for', async () => {
        // The key says RS256; the token is validly signed with the same key and another algorithm.
        const privateKey = rsaKey('own');
        const jwk = {
          ...createPublicKey(privateKey).export({ format: 'jwk' }),
          kid: 'k',
          alg: 'RS256',
          use: 'sig',
        };
        world.idp.publish([jwk]);
        expect(await judge(resign(world, privateKey, { alg: 'PS256', kid: 'k' }))).toBe('no_key');
        expect(await judge(resign(world, privateKey, { alg: 'RS256', kid: 'k' }))).toBe('accepted');
      });

      it('refuses an algorithm of another type of key, where the key names none', async () => {
        const { alg, ...unbound } = world.idp.key().publicJwk;
        const elliptic = await makeKey('ES256', 'own');
        world.idp.publish([unbound]);
        expect(alg).toBe('RS256');
        expect(await judge(resign(world, elliptic.privateKey, { alg: 'ES256' }))).toBe('no_key');
      });

      it('refuses keys for encryption, and keys that are too short', async () => {
        const privateKey = rsaKey('own');
        const short = createPublicKey(rsaKey('short', 1024));
        const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
        world.idp.publish([
          { ...jwk, kid: 'enc', use: 'enc' },
          { ...jwk, kid: 'ops', key_ops: ['encrypt'] },
          { ...short.export({ format: 'jwk' }), kid: 'short' },
          world.idp.key().publicJwk,
        ]);
        for (const kid of ['enc', 'ops', 'short']) {
          expect(await judge(resign(world, privateKey, { kid }))).toBe('no_key');
        }
      });

      it('ignores keys and addresses that the token brings along', async () => {
        const foreign = await publishable(rsaKey('foreign'), 'RS256', 'foreign');
        const attacker = await startIdentityProvider();
        const url = `${attacker.issuer}/jwks`;
        try {
          for (const header of [{ jwk: foreign.publicJwk }, { jku: url }, { x5u: url }, { x5c: ['AA=='] }]) {
            expect(await judge(resign(world, foreign.privateKey, { kid: 'foreign', ...header }))).toBe(
              'no_key',
            );
            expect(await judge(world.mint({}, header))).toBe('accepted');
          }
          expect(attacker.requests).toEqual([]);
        } finally {
          await attacker.stop();
        }
      });

      it('refuses critical header parameters, unencoded payloads and other types of tokens', async () => {
        const [head = '', body = '', signature = ''] = (await world.mint()).split('.');
        const header: Record<string, unknown> = JSON.parse(Buffer.from(head, 'base64url').toString());
        for (const added of [
          { crit: ['exp'] },
          { crit: [] },
          { b64: false },
          { typ: 'logout+jwt' },
          { kid: 7 },
        ]) {
          expect(await judge(`${encode({ ...header, ...added })}.${body}.${signature}`)).toBe('malformed');
        }
      });

      it.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
        'accepts %s with a key of its own, without one and without a key id',
        async (algorithm) => {
          const isRsa = /^[RP]S/.test(algorithm);
          const key = await (isRsa
            ? publishable(rsaKey('own'), algorithm, 'own')
            : makeKey(algorithm, 'own'));
          const { alg, ...unbound } = key.publicJwk;
          expect(alg).toBe(algorithm);
          for (const jwk of [key.publicJwk, unbound]) {
            world.idp.publish([jwk]);
            world.clock.advance(700_000);
            expect(await judge(resign(world, key.privateKey, { alg: algorithm, kid: 'own' }))).toBe(
              'accepted',
            );
            expect(await judge(resign(world, key.privateKey, { alg: algorithm, kid: undefined }))).toBe(
              'accepted',
            );
          }
        },
      );
    });

    describe('the form', () => {
      it.each<[string, (token: string) => string]>([
        ['text', () => 'not a token'],
        ['two parts', (token) => token.split('.').slice(0, 2).join('.')],
        ['four parts', (token) => `${token}.AA`],
        ['padding', (token) => `${token}=`],
        ['white space', (token) => ` ${token}`],
        ['more than 20,000 characters', (token) => `${token}${'A'.repeat(20_000)}`],
        ['a payload that is not an object', (token) => token.replace(/\.[^.]*\./, `.${encode(['x'])}.`)],
        ['a payload that is not JSON', (token) => token.replace(/\.[^.]*\./, '.e30x.')],
        [
          'a key of its payload twice',
          (token) => {
            const body = Buffer.from('{"iss":"a","sub":"x","sub":"y"}').toString('base64url');
            return token.replace(/\.[^.]*\./, `.${body}.`);
          },
        ],
      ])('refuses %s', async (_, change) => {
        expect(await judge(change(await world.mint()))).toBe('malformed');
      });

      it.each(['9007199254740993', '0.1234567890123456789', '1700000000.0', '17E8', '-0', '1e999'])(
        'accepts a number in any spelling, and makes no condition value from it: %s',
        async (number) => {
          const { privateKey, id } = world.idp.key();
          const [, body = ''] = (await world.mint()).split('.');
          const claims = Buffer.from(body, 'base64url').toString();
          const token = await new CompactSign(Buffer.from(`{"uid":${number},${claims.slice(1)}`))
            .setProtectedHeader({ alg: 'RS256', kid: id })
            .sign(privateKey);
          const identity = await world.providers.identify(token, now() * 1000);
          expect([identity.claims.has('uid'), identity.claims.has('sub')]).toEqual([false, true]);
        },
      );

      it('refuses an expiry that never passes', async () => {
        const { privateKey, id } = world.idp.key();
        const [, body = ''] = (await world.mint({ exp: undefined })).split('.');
        const claims = Buffer.from(body, 'base64url').toString();
        const token = await new CompactSign(Buffer.from(`{"exp":1e999,${claims.slice(1)}`))
          .setProtectedHeader({ alg: 'RS256', kid: id })
          .sign(privateKey);
        expect(await judge(token)).toBe('bad_claims');
      });

      it('accepts a token of nearly 20,000 characters', async () => {
        expect(await judge(world.mint({ filler: 'x'.repeat(14_000) }))).toBe('accepted');
      });
    });

    describe('the keys', () => {
      it('are fetched once for many tokens at a time', async () => {
        const token = await world.mint();
        await Promise.all(Array.from({ length: 20 }, () => judge(token)));
        expect(world.requests.filter(({ operation }) => operation === 'jwks')).toHaveLength(1);
      });

      it('are fetched again for an unknown key id, so that rotation just works', async () => {
        expect(await judge(world.mint())).toBe('accepted');
        const old = await world.mint();
        await world.idp.rotate();
        expect(await judge(world.mint())).toBe('accepted');
        expect(await judge(old)).toBe('no_key');
      });

      it('are fetched for made-up key ids at most once in 30 seconds', async () => {
        expect(await judge(world.mint())).toBe('accepted');
        const fetches = (): number => world.requests.filter(({ operation }) => operation === 'jwks').length;
        const before = fetches();
        for (let index = 0; index < 10; index += 1) {
          expect(await judge(world.mint({}, { kid: `made-up-${index}` }))).toBe('no_key');
        }
        expect(fetches()).toBe(before + 1);
        world.clock.advance(20_000);
        expect(await judge(world.mint({}, { kid: 'made-up' }))).toBe('no_key');
        expect(fetches()).toBe(before + 1);
        world.clock.advance(11_000);
        expect(await judge(world.mint({}, { kid: 'made-up' }))).toBe('no_key');
        expect(fetches()).toBe(before + 2);
      });

      it('that were withdrawn are refused after ten minutes', async () => {
        const token = await world.mint({ exp: now() + 7200 });
        expect(await judge(token)).toBe('accepted');
        await world.idp.rotate();
        expect(await judge(token)).toBe('accepted');
        world.clock.advance(600_000);
        expect(await judge(token)).toBe('no_key');
      });

      it('stay usable while the issuer is down', async () => {
        const token = await world.mint({ exp: now() + 100_000 });
        expect(await judge(token)).toBe('accepted');
        world.idp.answerWith(status(503));
        world.clock.advance(50_000_000);
        // A provider that is asked about each token is needed even then.
        expect(await judge(token)).toBe(one.accessToken === undefined ? 'accepted' : 'provider_unreachable');
        expect(await judge(world.mint({}, { kid: 'new' }))).toBe('provider_unreachable');
        world.idp.answerWith(undefined);
      });
    });

    describe('an issuer that', () => {
      it.each<[string, Listener, string]>([
        ['answers 500', status(500), 'provider_unreachable'],
        ['answers 429', status(429), 'provider_unreachable'],
        ['answers 404', status(404), 'no_key'],
        ['does not answer', silent, 'provider_unreachable'],
        ['hangs up', hangUp, 'provider_unreachable'],
        ['trickles', trickle, 'provider_unreachable'],
        ['answers too much', flood, 'no_key'],
        ['redirects', redirect, 'no_key'],
        ['answers HTML', text('<html></html>'), 'no_key'],
        ['answers an empty object', text('{}'), 'no_key'],
        ['answers an empty key set', text('{"keys":[]}'), 'no_key'],
        ['repeats a key of its JSON', text('{"keys":[],"keys":[]}'), 'no_key'],
      ])('%s verifies no token', async (_, listener, reason) => {
        world.idp.answerWith(listener);
        if (listener === silent || listener === trickle) world.limit(0.2);
        expect(await judge(world.mint())).toBe(reason);
        expect(world.requests.at(-1)).toMatchObject({ provider: 'test' });
      });

      it('is down verifies no token', async () => {
        const token = await world.mint();
        await world.idp.stop();
        expect(await judge(token)).toBe('provider_unreachable');
      });

      it('comes back is asked again within seconds', async () => {
        world.idp.answerWith(status(503));
        expect(await judge(world.mint())).toBe('provider_unreachable');
        world.idp.answerWith(undefined);
        world.clock.advance(1_500);
        expect(await judge(world.mint())).toBe('accepted');
      });
    });
  });
}

type SigningKey = Parameters<SignJWT['sign']>[0];

/** A token with the claims of a good one, signed with any key under any header. */
async function resign(
  world: ProviderWorld,
  key: SigningKey,
  header: Readonly<Record<string, unknown>>,
): Promise<string> {
  const [, body = ''] = (await world.mint()).split('.');
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(body, 'base64url').toString());
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: world.idp.key().id, ...header })
    .sign(key);
}

function toNodeJwk({ kty, n, e }: JWK): { kty: string; n: string; e: string } {
  return { kty: kty ?? '', n: n ?? '', e: e ?? '' };
}

/** That many claims. */
function numbered(count: number, name: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}${at}`, '']));
}
