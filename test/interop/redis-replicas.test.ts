import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithSAMLCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { Secret as OtpSecret, TOTP } from 'otpauth';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { controlClient } from '../support/control-client.ts';
import { samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { summary } from '../support/wire.ts';
import { type RedisServer, startRedis } from './redis/start-redis.ts';

const controlToken = randomBytes(24).toString('base64url');
const tokenKey = randomBytes(32).toString('base64');
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const serialNumber = `arn:aws:iam::${account}:mfa/alice`;
const clock = new TestClock();
const idp = createSamlIdp({ roles: [samlRole('people')], now: () => clock.now() });
const trust = (principal: string, action: string): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: "${action}" }] }`;
const own = trust(`{ AWS: "arn:aws:iam::${account}:root" }`, 'sts:AssumeRole');
const directory = `
directory:
  policies:
    All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }
  users:
    - name: alice
      policies: [All]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      mfaDevices: [{ serialNumber: "${serialNumber}", totpSecret: { env: TOTP } }]
  roles:
    - { name: data, policies: [All], trustPolicy: ${own} }
    - { name: reader, policies: [All], trustPolicy: ${own} }
    - { name: people, policies: [All], trustPolicy: ${trust(`{ Federated: "${samlProviderArn('company')}" }`, 'sts:AssumeRoleWithSAML')} }
  identityProviders:
    - { kind: saml, name: company, metadataFile: company.xml }
`;

let redis: RedisServer;
const running: TestSidecar[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
// Every test has a Redis with nothing in it.
beforeEach(async () => {
  await redis.stop();
  await redis.restart();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function replica(url = redis.url): Promise<TestSidecar> {
  const started = await startSidecar({
    clock,
    tokenKey,
    directory,
    files: { 'company.xml': idp.metadata },
    variables: { CONTROL: controlToken, REDIS_URL: url, TOTP: totpSecret },
    further: `control: { listen: "127.0.0.1:0", token: { env: CONTROL } }
state: { redis: { url: { env: REDIS_URL } }, maxStalenessSeconds: 60 }`,
  });
  running.push(started);
  return started;
}

const identity = (at: TestSidecar, keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(at.url, keys, clock).send(new GetCallerIdentityCommand({})));
const buckets = (at: TestSidecar, keys: SdkCredentials): Promise<string> =>
  outcome(s3Client(at.url, keys, { clock }).send(new ListBucketsCommand({})));
const code = (atMs = clock.now()): string =>
  new TOTP({ secret: OtpSecret.fromBase32(totpSecret) }).generate({ timestamp: atMs });
const withCode = (at: TestSidecar, TokenCode: string): Promise<string> =>
  outcome(
    stsClient(at.url, alice, clock).send(
      new GetSessionTokenCommand({ SerialNumber: serialNumber, TokenCode }),
    ),
  );
const withAssertion = (at: TestSidecar, SAMLAssertion: string): Promise<string> =>
  outcome(
    new STSClient({ endpoint: at.url, region: 'us-east-1', maxAttempts: 1 }).send(
      new AssumeRoleWithSAMLCommand({
        RoleArn: roleArn('people'),
        PrincipalArn: samlProviderArn('company'),
        SAMLAssertion,
      }),
    ),
  );
const control = (at: TestSidecar) => controlClient(at.controlUrl, controlToken);
const isReady = async (at: TestSidecar): Promise<boolean> => (await fetch(`${at.adminUrl}/readyz`)).ok;
const over = /^ExpiredToken(?:Exception)? 403$/;
const soon = { timeout: 8000, interval: 50 };

describe('two replicas with one Redis', () => {
  it('both know a revocation within a second, and its end', async () => {
    const [one, other] = [await replica(), await replica()];
    const keys = await assume(one.url, alice, 'data', {}, clock);
    const reader = await assume(one.url, alice, 'reader', {}, clock);
    expect(await identity(other, keys)).toBe('allowed');
    const added = await control(one).add({ role: 'data' });
    expect(added.body).toMatchObject({ role: 'data', scope: 'all replicas' });
    expect(added.body['note']).toBeUndefined();
    expect(await identity(one, keys)).toMatch(over);
    await expect.poll(() => identity(other, keys), { timeout: 1000, interval: 20 }).toMatch(over);
    expect(await buckets(other, keys)).toBe('ExpiredToken 400');
    expect([await identity(one, reader), await identity(other, reader)]).toEqual(['allowed', 'allowed']);
    const { revocations } = (await control(other).list()).body as unknown as { revocations: object[] };
    expect(revocations).toEqual([expect.objectContaining({ id: added.body['id'], role: 'data' })]);
    expect((await control(other).remove(added.body['id'])).status).toBe(200);
    await expect.poll(() => identity(one, keys), { timeout: 1000, interval: 20 }).toBe('allowed');
  });

  it('tell a third that starts later', async () => {
    const one = await replica();
    const keys = await assume(one.url, alice, 'data', {}, clock);
    await control(one).add({ role: 'data' });
    expect(await identity(await replica(), keys)).toMatch(over);
  });

  it('issue no new session from one that was revoked on the other', async () => {
    const [one, other] = [await replica(), await replica()];
    for (let time = 0; time < 5; time += 1) {
      const stolen = await assume(one.url, alice, 'data', {}, clock);
      expect((await control(one).add({ role: 'data' })).status).toBe(201);
      // The next second has begun for the other replica, which polls for changes only at intervals.
      clock.advance(1000);
      expect(await outcome(assume(other.url, stolen, 'reader', {}, clock))).toMatch(over);
      clock.advance(5000);
    }
  });

  it('take a one-time code once though the second request is slow', async () => {
    const [one, other] = [await replica(), await replica()];
    const step = Math.floor(clock.now() / 30_000) + 1;
    clock.advance((step + 2) * 30_000 - 1000 - clock.now());
    const TokenCode = code(step * 30_000);
    expect(await withCode(one, TokenCode)).toBe('allowed');
    const body = new URLSearchParams({
      ...{ Action: 'GetSessionToken', Version: '2011-06-15' },
      ...{ SerialNumber: serialNumber, TokenCode },
    }).toString();
    const { host, hostname, port } = new URL(other.url);
    const { headers } = await signWithSmithy(
      {
        method: 'POST',
        path: '/',
        query: {},
        headers: {
          host,
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(body.length),
          'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
        },
      },
      alice,
      { service: 'sts', nowMs: clock.now() },
    );
    const socket = connect({ host: hostname, port: Number(port) });
    const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST / HTTP/1.1\r\nconnection: close\r\n${fields}\r\n`);
    // Redis forgets by its own clock.
    await sleep(2000);
    socket.write(body);
    expect(summary(await readAll(socket))).toBe('403 AccessDenied');
  });

  it('take a one-time code once, and lock a device together', async () => {
    const [one, other] = [await replica(), await replica()];
    const now = code();
    expect(await withCode(one, now)).toBe('allowed');
    expect(await withCode(other, now)).toBe('AccessDenied 403');
    for (const at of [one, other, one, other]) await withCode(at, '000000');
    const next = code(clock.now() + 30_000);
    expect([await withCode(one, next), await withCode(other, next)]).toEqual([
      'AccessDenied 403',
      'AccessDenied 403',
    ]);
    clock.advance(300_000);
    expect(await withCode(other, code())).toBe('allowed');
  });

  it('take an assertion once', async () => {
    const [one, other] = [await replica(), await replica()];
    const assertion = idp.respond();
    expect(await withAssertion(one, assertion)).toBe('allowed');
    expect(await withAssertion(other, assertion)).toMatch(/^InvalidIdentityToken(?:Exception)? 400$/);
    expect(await withAssertion(other, idp.respond())).toBe('allowed');
  });
});

describe('a Redis that does not answer', () => {
  it('keeps what was known valid up to the staleness limit, then sessions are refused', async () => {
    const [one, other] = [await replica(), await replica()];
    const keys = await assume(one.url, alice, 'data', {}, clock);
    const reader = await assume(one.url, alice, 'reader', {}, clock);
    await control(one).add({ role: 'data' });
    await expect.poll(() => identity(other, keys), { timeout: 1000, interval: 20 }).toMatch(over);
    redis.pause();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect([await identity(other, keys), await identity(other, reader)]).toEqual([
      expect.stringMatching(over),
      'allowed',
    ]);
    clock.advance(61_000);
    for (const at of [one, other]) {
      expect(await identity(at, keys)).toMatch(over);
      expect(await identity(at, reader)).toMatch(/^ServiceUnavailable(?:Exception)? 503$/);
      expect(await buckets(at, reader)).toBe('ServiceUnavailable 503');
      expect(await outcome(assume(at.url, reader, 'data', {}, clock))).toMatch(/^ServiceUnavailable/);
      expect([await identity(at, alice), await buckets(at, alice)]).toEqual(['allowed', 'allowed']);
      expect(await isReady(at)).toBe(true);
    }
    redis.resume();
    for (const at of [one, other]) {
      await expect.poll(() => identity(at, reader), soon).toBe('allowed');
      expect(await identity(at, keys)).toMatch(over);
    }
  });

  it('is not refreshed by a clock that goes back', async () => {
    const one = await replica();
    const keys = await assume(one.url, alice, 'data', {}, clock);
    redis.pause();
    clock.advance(-61_000);
    expect(await identity(one, keys)).toMatch(/^ServiceUnavailable(?:Exception)? 503$/);
    redis.resume();
    await expect.poll(() => identity(one, keys), soon).toBe('allowed');
    clock.advance(61_000);
    await expect.poll(() => identity(one, keys), soon).toBe('allowed');
  });

  it('accepts no second factor, no assertion and no revocation', async () => {
    const one = await replica();
    const assertion = idp.respond();
    redis.pause();
    expect(await withCode(one, code())).toMatch(/^ServiceUnavailable(?:Exception)? 503$/);
    expect(await withAssertion(one, assertion)).toMatch(/^ServiceUnavailable(?:Exception)? 503$/);
    const refused = await control(one).add({ role: 'data' });
    expect([refused.status, refused.body['error']]).toEqual([
      503,
      expect.objectContaining({ code: 'StateUnavailable' }),
    ]);
    expect(await identity(one, await assume(one.url, alice, 'reader', {}, clock))).toBe('allowed');
    redis.resume();
    clock.advance(90_000);
    await expect.poll(() => withAssertion(one, idp.respond()), soon).toBe('allowed');
    expect(await withCode(one, code())).toBe('allowed');
    const said = (): string[] =>
      one.logged.flatMap((line) => /"component":"state".*"msg":"([^"]*)"/.exec(line)?.[1] ?? []);
    await expect
      .poll(said, soon)
      .toEqual(['shared state is not available', 'shared state is available again']);
  });
});

describe('a Redis that cannot be reached', () => {
  it('issues no new sessions to one', async () => {
    const one = await replica();
    const keys = await assume(one.url, alice, 'data', {}, clock);
    await redis.stop();
    expect(await identity(one, keys)).toBe('allowed');
    expect(await outcome(assume(one.url, keys, 'reader', {}, clock))).toBe('ServiceUnavailable 503');
    expect(await outcome(assume(one.url, alice, 'reader', {}, clock))).toBe('allowed');
    await redis.restart();
  });
});

describe('a Redis that forgot everything', () => {
  it('gets the revocations back from the replicas that know them', async () => {
    const [one, other] = [await replica(), await replica()];
    const keys = await assume(one.url, alice, 'data', {}, clock);
    await control(one).add({ role: 'data' });
    await expect.poll(() => identity(other, keys), { timeout: 1000, interval: 20 }).toMatch(over);
    await redis.stop();
    expect(await identity(one, keys)).toMatch(over);
    await redis.restart();
    await expect
      .poll(() => one.logged.concat(other.logged).some((line) => line.includes('they were put back')), soon)
      .toBe(true);
    expect([await identity(one, keys), await identity(other, keys)]).toEqual([
      expect.stringMatching(over),
      expect.stringMatching(over),
    ]);
    expect(await identity(await replica(), keys)).toMatch(over);
  });
});

describe('a replica', () => {
  it('that starts without its Redis is not ready, and accepts no session until Redis is there', async () => {
    const one = await replica();
    const keys = await assume(one.url, alice, 'data', {}, clock);
    await redis.stop();
    const late = await replica();
    expect(await isReady(late)).toBe(false);
    expect(await identity(late, keys)).toMatch(/^ServiceUnavailable(?:Exception)? 503$/);
    expect(await identity(late, alice)).toBe('allowed');
    await redis.restart();
    await expect.poll(() => isReady(late), soon).toBe(true);
    expect(await identity(late, keys)).toBe('allowed');
  });

  it('accepts no session while it cannot read a revocation', async () => {
    const one = await replica();
    const keys = await assume(one.url, alice, 'data', {}, clock);
    const { RedisState } = await import('../../src/state/redis-state.ts');
    const { Secret } = await import('../../src/core/secret.ts');
    const state = new RedisState({ url: new Secret(redis.url) }, `sts-sidecar:${account}:`);
    for (const text of [
      '',
      'x',
      '{}',
      '{"v":2}',
      '{"v":1,"addedAtMs":1,"keys":[],"revocation":{"role":"data"}}',
    ]) {
      await state.putRecord('strange', text);
      await expect.poll(() => identity(one, keys), soon).toMatch(/^ServiceUnavailable(?:Exception)? 503$/);
      expect(await identity(one, alice)).toBe('allowed');
      await state.removeRecord('strange');
      await expect.poll(() => identity(one, keys), soon).toBe('allowed');
    }
    await state.close();
  });

  it('does not show the password of its Redis', async () => {
    const guarded = await startRedis({ args: ['--requirepass', 'another-password'] });
    const one = await replica(guarded.url.replace('redis://', 'redis://:the-password@'));
    expect(await isReady(one)).toBe(false);
    const metrics = await (await fetch(`${one.adminUrl}/metrics`)).text();
    expect(one.logged.join('') + metrics).not.toContain('the-password');
    expect(metrics).toMatch(/sts_sidecar_state_refreshes_total\{outcome="failure"\} [1-9]/);
    await guarded.close();
  });
});
