import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longestSessionSeconds } from '../../src/core/iam-names.ts';
import { Secret } from '../../src/core/secret.ts';
import { deriveSecretAccessKey } from '../../src/tokens/derive-secret.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { sealSession } from '../../src/tokens/seal.ts';
import type { SessionClaims } from '../../src/tokens/session-claims.ts';
import { assume, outcome, type SdkCredentials, s3Client, scopeToReading, stsClient } from '../support/sdk.ts';
import { alice, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';

const tokenKey = randomBytes(32).toString('base64');
const clock = new TestClock();
let sidecar: TestSidecar;
let genuine: SessionClaims;
const ring = createKeyRing([{ id: 'k1', secret: new Secret(tokenKey) }], 'k1');

beforeAll(async () => {
  const tokens = 'tokens: { sealWith: k1, keys: [{ id: k1, secret: { env: STOLEN } }] }';
  sidecar = await startSidecar({ clock, tokens, variables: { STOLEN: tokenKey } });
  const { sessionToken } = await assume(sidecar.url, alice, 'data', {}, clock);
  const opened = new SessionOpener(ring).open(sessionToken);
  if (opened === undefined) throw new Error('the key of the ring is another one');
  genuine = opened.claims;
});
afterAll(() => sidecar.stop());

/** What whoever has stolen the token key can make: a session with times of their own, in seconds from now. */
function forged(issuedIn: number, lasting: number): SdkCredentials {
  const issuedAt = Math.floor(clock.now() / 1000) + issuedIn;
  const sessionId = randomBytes(16).toString('base64url');
  const claims = { ...genuine, sessionId, issuedAt, expiresAt: issuedAt + lasting };
  const { accessKeyId, seed } = claims;
  const secretAccessKey = deriveSecretAccessKey(ring.sealWith, seed, accessKeyId).reveal();
  return { accessKeyId, secretAccessKey, sessionToken: sealSession(claims, ring) };
}
const create = (keys: SdkCredentials): Promise<string> => {
  const Bucket = `b${randomBytes(4).toString('hex')}`;
  return outcome(s3Client(sidecar.url, keys, { clock }).send(new CreateBucketCommand({ Bucket })));
};
const identity = (keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({})));

describe('a token that was made with a stolen key', () => {
  it.each([
    ['issued later than clocks can differ', 960, 3_600],
    ['issued in another century', 2_000_000_000, 3_600],
    ['that lasts longer than any session', 0, longestSessionSeconds + 1],
    ['that lasts until the year 9999', 0, 250_000_000_000],
    ['that began long ago and never ends', -1_000_000_000, 250_000_000_000],
  ])('%s is no token', async (_, issuedIn, lasting) => {
    const keys = forged(issuedIn, lasting);
    expect(await create(keys)).toBe('InvalidToken 400');
    expect(await identity(keys)).toBe('InvalidClientTokenId 403');
    expect(await outcome(scopeToReading(sidecar.url, keys, clock))).toBe('InvalidClientTokenId 403');
  });

  it.each([
    ['issued by a clock that is ahead', 890, 3_600],
    ['of the longest session', 0, longestSessionSeconds],
  ])('or %s opens', async (_, issuedIn, lasting) => {
    expect(await identity(forged(issuedIn, lasting))).toBe('allowed');
  });
});
