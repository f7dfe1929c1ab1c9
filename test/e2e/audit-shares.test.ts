import { mkdtemp, rm, symlink } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuditCollector, startAuditCollector } from '../support/audit-collector.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { requestsInFlight } from '../support/in-flight.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { account, alice, bob, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll, sendHead, signHead } from '../support/signed-socket.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const user = (name: string): string => `arn:aws:iam::${account}:user/${name}`;

const directory = (ofBob: string): string => `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
      ${ofBob}
`;
const onlyUploads =
  'inlinePolicies: { Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::data/bob/*" }] } }';

/** A character that JSON writes with six. */
const dear = '%01';

let collector: AuditCollector;
let folder: string;
let sidecar: TestSidecar | undefined;
/** Answers of the collector that are held back. */
let held: ServerResponse[];
beforeEach(async () => {
  collector = await startAuditCollector();
  folder = await mkdtemp(join(tmpdir(), 'audit-shares-'));
  held = [];
});
afterEach(async () => {
  listen();
  await sidecar?.stop();
  sidecar = undefined;
  await collector.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(audit: string, ofDirectory: string): Promise<TestSidecar> {
  const further = `audit: { ${audit}, maxQueuedBytes: 1048576 }
outbound: { timeoutSeconds: 60 }
containerCredentials: { listen: "127.0.0.1:0" }`;
  sidecar = await startSidecar({ directory: ofDirectory, further });
  return sidecar;
}

const lost = async ({ adminUrl }: TestSidecar): Promise<number> => {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/audit_events_total\{sink="webhook",outcome="dropped"\} (\d+)/.exec(metrics)?.[1] ?? 0);
};

/** How many of so many downloads are served, one after the other. */
async function servedOf(count: number, { url }: TestSidecar): Promise<number> {
  const s3 = s3Client(url, alice);
  let served = 0;
  for (let index = 0; index < count; index += 1) {
    const answer = await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: `of-alice/${index}` })));
    // The store has been asked. There is no such object.
    if (answer.endsWith(' 404')) served += 1;
  }
  return served;
}

/** Keeps the collector from answering. */
function silence(): void {
  collector.answerWith((response) => {
    held.push(response);
    return true;
  });
}

function listen(): void {
  collector.answerWith(undefined);
  for (const response of held) response.writeHead(503).end();
  held = [];
}

/** Sends a request so many times on one connection, and waits for all answers. */
async function flood(head: string, { url }: TestSidecar, count: number): Promise<void> {
  const last = head.replace('\r\n', '\r\nConnection: close\r\n');
  const answers = await readAll(sendHead(url, head.repeat(count - 1) + last));
  expect(answers.split('<Error>')).toHaveLength(count + 1);
}

describe('slow uploads of one caller, with a trail that fails closed', () => {
  it('take no more than half of the queue, and others are served', async () => {
    const running = await start(
      `file: "${join(folder, 'audit.log')}", failClosed: true`,
      directory(onlyUploads),
    );
    const sockets: Socket[] = [];
    const refused: string[] = [];
    const begin = async (key: string, count: number): Promise<void> => {
      const headers = { 'content-length': '100000', connection: 'close' };
      const head = await signHead(running.url, { method: 'PUT', path: `/data/bob/${key}`, headers }, bob);
      for (let index = 0; index < count; index += 1) {
        const socket = sendHead(running.url, head);
        socket.on('error', () => undefined);
        socket.once('data', (chunk) => refused.push(chunk.toString()));
        socket.write('x');
        sockets.push(socket);
      }
      await expect.poll(async () => refused.length + (await requestsInFlight(running))).toBe(sockets.length);
    };
    await begin(dear.repeat(1_000), 45);
    await begin('k', 10);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(await servedOf(20, running)).toBe(20);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => requestsInFlight(running)).toBe(0);
    const denied = s3Client(running.url, bob).send(new GetObjectCommand({ Bucket: 'data', Key: 'bob/k' }));
    expect(await outcome(denied)).toBe('AccessDenied 403');
  });
});

describe.each(['true', 'false'])(
  'a flood of one caller while the webhook is slow, failClosed: %s',
  (failClosed) => {
    it('costs nothing but records of its own', async () => {
      silence();
      const running = await start(
        `webhook: { url: "${collector.url}" }, failClosed: ${failClosed}`,
        directory(''),
      );
      const longest = `/data/${dear.repeat(1_000)}`;
      for (const path of [longest, longest, '/data/k'])
        await flood(await signHead(running.url, { method: 'GET', path, headers: {} }, bob), running, 40);
      const lostOfBob = await lost(running);
      expect(lostOfBob).toBeGreaterThan(20);
      expect(await servedOf(20, running)).toBe(20);
      expect(await lost(running)).toBe(lostOfBob);
      const told = running.logged.filter((line) => line.includes('"msg":"audit records are lost"'));
      expect(told.length).toBeGreaterThan(0);
      for (const line of told) expect(JSON.parse(line)).toMatchObject({ holder: user('bob') });
      expect(await (await fetch(`${running.adminUrl}/metrics`)).text()).not.toContain('bob');
      listen();
      await expect
        .poll(() => collector.records.filter(({ userIdentity }) => nameOf(userIdentity) === 'alice').length)
        .toBe(20);
    });
  },
);

const nameOf = (identity: object): unknown => ('userName' in identity ? identity.userName : undefined);

describe('logins with a token, where the trail fails closed', () => {
  let idp: TestIdentityProvider;
  beforeAll(async () => {
    idp = await startIdentityProvider();
  });
  afterAll(() => idp.stop());

  const login = ({ url }: TestSidecar, token: string): Promise<string> => {
    const parameters = { RoleArn: roleArn('pod'), RoleSessionName: 'app', WebIdentityToken: token };
    const sts = new STSClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1 });
    return outcome(sts.send(new AssumeRoleWithWebIdentityCommand(parameters)));
  };
  const loginAtContainer = async ({ containerUrl }: TestSidecar, authorization: string): Promise<number> => {
    const url = `${containerUrl}/v1/credentials?roleArn=${roleArn('pod')}`;
    return (await fetch(url, { headers: { authorization } })).status;
  };

  it('are not kept out by a flood of strangers while the webhook is slow', async () => {
    silence();
    const running = await start(
      `webhook: { url: "${collector.url}" }, failClosed: true`,
      webIdentityDirectory({ issuer: idp.issuer }),
    );
    const longest = `/data/${dear.repeat(1_000)}`;
    for (const path of [longest, longest, '/data/k'])
      await flood(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, running, 40);
    expect(await lost(running)).toBeGreaterThan(20);
    expect(await login(running, await idp.mint())).toBe('allowed');
    expect(await loginAtContainer(running, await idp.mint())).toBe(200);
    expect(await login(running, 'a.b.c')).toBe('InvalidIdentityTokenException 400');
  });

  it('get no credentials while the disk is full', async () => {
    const path = join(folder, 'audit.log');
    await symlink('/dev/full', path);
    const running = await start(
      `file: "${path}", failClosed: true`,
      webIdentityDirectory({ issuer: idp.issuer }),
    );
    expect(await login(running, await idp.mint())).toBe('allowed');
    await expect.poll(() => running.logged.join('')).toContain('ENOSPC');
    expect(await login(running, await idp.mint())).toBe('ServiceUnavailable 503');
    expect(await loginAtContainer(running, await idp.mint())).toBe(503);
    expect(running.logged.filter((line) => line.includes('"issued_access_key_id"'))).toHaveLength(1);
    await rm(path);
  });
});
