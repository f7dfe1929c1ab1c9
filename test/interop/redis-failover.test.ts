import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { AssumeRoleWithSAMLCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import type { RedisSettings } from '../../src/state/redis-settings.ts';
import { RedisState } from '../../src/state/redis-state.ts';
import { controlClient } from '../support/control-client.ts';
import { samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { assume, outcome, type SdkCredentials, stsClient } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import {
  masterName,
  type RedisGroup,
  redisUser,
  sentinelPassword,
  startCluster,
  startSentinels,
} from './redis/redis-nodes.ts';

const controlToken = randomBytes(24).toString('base64url');
const tokenKey = randomBytes(32).toString('base64');
const idp = createSamlIdp({ roles: [samlRole('people')], now: () => systemClock.now() });
const trust = (principal: string, action: string): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: "${action}" }] }`;
const directory = `
directory:
  policies:
    All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }
  users:
    - name: alice
      policies: [All]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
  roles:
    - { name: data, policies: [All], trustPolicy: ${trust(`{ AWS: "arn:aws:iam::${account}:root" }`, 'sts:AssumeRole')} }
    - { name: reader, policies: [All], trustPolicy: ${trust(`{ AWS: "arn:aws:iam::${account}:root" }`, 'sts:AssumeRole')} }
    - { name: people, policies: [All], trustPolicy: ${trust(`{ Federated: "${samlProviderArn('company')}" }`, 'sts:AssumeRoleWithSAML')} }
  identityProviders:
    - { kind: saml, name: company, metadataFile: company.xml }
`;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function sidecar(redis: string): Promise<TestSidecar> {
  const started = await startSidecar({
    tokenKey,
    directory,
    files: { 'company.xml': idp.metadata },
    variables: { CONTROL: controlToken, REDIS: redisUser.password, SENTINEL: sentinelPassword },
    further: `control: { listen: "127.0.0.1:0", token: { env: CONTROL } }
state: { redis: { ${redis}, username: ${redisUser.name}, password: { env: REDIS } } }`,
  });
  closing.push(() => started.stop());
  await expect.poll(async () => (await fetch(`${started.adminUrl}/readyz`)).status, wait).toBe(200);
  return started;
}

const wait = { timeout: 60_000, interval: 50 };
const yamlOfSentinels = ({ nodes }: RedisGroup): string =>
  `sentinels: [${nodes.slice(2).map(({ port }) => `{ host: 127.0.0.1, port: ${port} }`)}], masterName: ${masterName}, sentinelPassword: { env: SENTINEL }`;
const yamlOfCluster = ({ nodes }: RedisGroup): string =>
  `cluster: [${nodes.slice(0, 3).map(({ port }) => `"redis://127.0.0.1:${port}"`)}]`;

const present = (at: TestSidecar, SAMLAssertion: string): Promise<string> =>
  outcome(
    new STSClient({ endpoint: at.url, region: 'us-east-1', maxAttempts: 1 }).send(
      new AssumeRoleWithSAMLCommand({
        RoleArn: roleArn('people'),
        PrincipalArn: samlProviderArn('company'),
        SAMLAssertion,
      }),
    ),
  );
/** In a Cluster, logins in the places of other masters work again before those in the places of the master that died. */
async function presentUntilAnswered(at: TestSidecar, assertion: string): Promise<string> {
  for (;;) {
    const result = await present(at, assertion);
    if (!unavailable.test(result)) return result;
    await setTimeout(wait.interval);
  }
}
const identity = (at: TestSidecar, keys: SdkCredentials): Promise<string> =>
  outcome(stsClient(at.url, keys).send(new GetCallerIdentityCommand({})));

const replayed = /^InvalidIdentityToken(?:Exception)? 400$/;
const ended = /^ExpiredToken(?:Exception)? 403$/;
const unavailable = /^ServiceUnavailable(?:Exception)? 503$/;

interface Login {
  readonly assertion: string;
  readonly atMs: number;
  readonly outcome: string;
}

/** Logs in again and again, each time with an assertion of its own, until it is stopped. */
function logins(at: readonly TestSidecar[]): { readonly done: Login[]; readonly stop: () => Promise<void> } {
  const done: Login[] = [];
  let isStopped = false;
  const loops = at.flatMap((one) =>
    Array.from({ length: 2 }, async () => {
      while (!isStopped) {
        const [assertion, atMs] = [idp.respond(), performance.now()];
        done.push({ assertion, atMs, outcome: await present(one, assertion) });
      }
    }),
  );
  return {
    done,
    stop: async () => {
      isStopped = true;
      await Promise.all(loops);
    },
  };
}

/**
 * Kills servers while sidecars log in, and looks at everything that is promised about a failover: the protocol's own errors, an end to
 * them, nothing accepted twice that had reached the replica, and no end of a revocation.
 */
async function expectFailover(
  at: readonly [TestSidecar, TestSidecar],
  fail: () => Promise<unknown>,
): Promise<void> {
  const revoked = await assume(at[0].url, alice, 'data');
  const kept = await assume(at[0].url, alice, 'reader');
  expect((await controlClient(at[0].controlUrl, controlToken).add({ role: 'data' })).status).toBe(201);
  await expect.poll(() => identity(at[1], revoked), wait).toMatch(ended);
  const load = logins(at);
  // The oldest of them have reached the replica.
  const loggedInBefore = (): number =>
    load.done.filter(({ atMs, outcome: result }) => atMs < performance.now() - 600 && result === 'allowed')
      .length;
  await expect.poll(loggedInBefore, wait).toBeGreaterThan(20);
  const failedAtMs = performance.now();
  await fail();
  const loggedIn = (index: number): number =>
    load.done.filter(({ atMs, outcome: result }) => atMs > failedAtMs + 1500 && result === 'allowed').length -
    index;
  await expect.poll(() => loggedIn(0), { timeout: 60_000, interval: 100 }).toBeGreaterThan(20);
  await load.stop();
  for (const login of load.done) if (login.outcome !== 'allowed') expect(login.outcome).toMatch(unavailable);
  // What was accepted half a second before had reached the replica.
  const before = load.done.filter(
    ({ atMs, outcome: result }) => atMs < failedAtMs - 500 && result === 'allowed',
  );
  const after = load.done.filter(
    ({ atMs, outcome: result }) => atMs > failedAtMs + 1500 && result === 'allowed',
  );
  expect(before.length).toBeGreaterThan(0);
  for (const { assertion } of [...before.slice(-20), ...after.slice(-20)])
    for (const one of at) expect(await presentUntilAnswered(one, assertion)).toMatch(replayed);
  for (const one of at) {
    await expect.poll(() => identity(one, kept), wait).toBe('allowed');
    expect(await identity(one, revoked)).toMatch(ended);
    const { body } = await controlClient(one.controlUrl, controlToken).list();
    expect(body['revocations']).toEqual([expect.objectContaining({ role: 'data' })]);
    expect(one.logged.join('')).not.toMatch(/password-of-the/);
  }
}

describe('a master that Sentinels name', () => {
  it('is followed to the new one when it dies under load', async () => {
    const group = await startSentinels();
    closing.push(() => group.close());
    const [master, replica] = group.nodes;
    const pair = [await sidecar(yamlOfSentinels(group)), await sidecar(yamlOfSentinels(group))] as const;
    await expect
      .poll(async () => String(await master?.ask('INFO', 'replication')), wait)
      .toContain('state=online');
    await expectFailover(pair, async () => master?.kill());
    expect(String(await replica?.ask('INFO', 'replication'))).toContain('role:master');
  });

  it('is followed when it hangs, and does not come back as one', async () => {
    const group = await startSentinels();
    closing.push(() => group.close());
    const [master] = group.nodes;
    const pair = [await sidecar(yamlOfSentinels(group)), await sidecar(yamlOfSentinels(group))] as const;
    await expect
      .poll(async () => String(await master?.ask('INFO', 'replication')), wait)
      .toContain('state=online');
    await expectFailover(pair, async () => master?.pause());
    master?.resume();
    await expect
      .poll(async () => String(await master?.ask('INFO', 'replication')), wait)
      .toContain('role:slave');
    const assertion = idp.respond();
    expect(await present(pair[0], assertion)).toBe('allowed');
    expect(await present(pair[1], assertion)).toMatch(replayed);
  });

  it.each([0, 2])('is used while Sentinel %i hangs', async (index) => {
    const group = await startSentinels();
    closing.push(() => group.close());
    const started = await sidecar(yamlOfSentinels(group));
    group.nodes[2 + index]?.pause();
    const outcomes: string[] = [];
    for (const endMs = performance.now() + 20_000; performance.now() < endMs; await setTimeout(100))
      outcomes.push(await present(started, idp.respond()));
    const allowed = outcomes.filter((result) => result === 'allowed').length;
    expect(allowed).toBeGreaterThan(0.9 * outcomes.length);
    // It starts where one hangs from the beginning, too.
    expect(await present(await sidecar(yamlOfSentinels(group)), idp.respond())).toBe('allowed');
  });

  it('is found while one Sentinel is away, and refused with the wrong password of the Sentinels', async () => {
    const group = await startSentinels();
    closing.push(() => group.close());
    await group.nodes[2]?.kill();
    const started = await sidecar(yamlOfSentinels(group));
    expect(await present(started, idp.respond())).toBe('allowed');
    const state = new RedisState(
      { ...settingsOfSentinels(group), sentinelPassword: new Secret('wrong') },
      'test:',
    );
    closing.push(() => state.close());
    await expect(state.useOnce('a', systemClock.now() + 1000, systemClock.now())).rejects.toThrow(
      'Redis did not answer in time',
    );
  });
});

describe('a Redis Cluster', () => {
  it('is followed when a master hangs', async () => {
    const group = await startCluster();
    closing.push(() => group.close());
    const pair = [await sidecar(yamlOfCluster(group)), await sidecar(yamlOfCluster(group))] as const;
    await expectFailover(pair, async () => group.nodes[0]?.pause());
  });

  it('is followed when a master dies under load', async () => {
    const group = await startCluster();
    closing.push(() => group.close());
    const pair = [await sidecar(yamlOfCluster(group)), await sidecar(yamlOfCluster(group))] as const;
    await expectFailover(pair, async () => group.nodes[0]?.kill());
  });

  it('is followed when slots move to another node', async () => {
    const group = await startCluster();
    closing.push(() => group.close());
    const pair = [await sidecar(yamlOfCluster(group)), await sidecar(yamlOfCluster(group))] as const;
    const used = Array.from({ length: 20 }, () => idp.respond());
    for (const assertion of used) expect(await present(pair[0], assertion)).toBe('allowed');
    // A failover that is asked for moves all slots of a master to its replica.
    await group.nodes[3]?.ask('CLUSTER', 'FAILOVER');
    await expect
      .poll(async () => String(await group.nodes[3]?.ask('INFO', 'replication')), wait)
      .toContain('role:master');
    for (const assertion of used) expect(await present(pair[1], assertion)).toMatch(replayed);
    expect(await present(pair[0], idp.respond())).toBe('allowed');
  });
});

const settingsOfSentinels = ({ nodes }: RedisGroup): RedisSettings => ({
  sentinels: nodes.slice(2).map(({ port }) => ({ host: '127.0.0.1', port })),
  masterName,
  username: redisUser.name,
  password: new Secret(redisUser.password),
  sentinelPassword: new Secret(sentinelPassword),
});
