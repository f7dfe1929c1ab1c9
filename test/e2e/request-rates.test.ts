import { performance } from 'node:perf_hooks';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formBody, formType } from '../support/post-form.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll, signHead } from '../support/signed-socket.ts';

const wrong = { ...alice, secretAccessKey: 'x'.repeat(40) };
const unknown = { accessKeyId: 'AKIAUNKNOWNUNKNOWN01', secretAccessKey: 'x'.repeat(40) };

let sidecar: TestSidecar;
let nowMs: number;

// The rate goes by the monotonic clock: no time passes for it unless a test says so.
beforeEach(async () => {
  sidecar = await startSidecar({
    server: '  limits: { requestsPerSecondPerClient: 3 }\n  trustedProxies: ["127.0.0.0/8"]',
  });
  nowMs = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await sidecar.stop();
});

const get = (credentials: SdkCredentials): Promise<string> =>
  outcome(s3Client(sidecar.url, credentials).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));

async function repeat(times: number, ask: () => Promise<string>): Promise<string[]> {
  const answers: string[] = [];
  for (let sent = 0; sent < times; sent += 1) answers.push(await ask());
  return answers;
}

/** An unsigned request of a client behind the proxy. */
async function ask(from: string, path: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(`${sidecar.url}${path}`, {
    ...init,
    headers: { ...init.headers, 'x-forwarded-for': from, connection: 'keep-alive' },
  });
  const text = await response.text();
  return `${response.status} ${/<Code>([^<]*)</.exec(text)?.[1] ?? ''}`;
}

const login = (from: string, headers: Record<string, string> = {}): Promise<string> =>
  ask(from, '/', {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      Version: '2011-06-15',
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: 'arn:aws:iam::123456789012:role/data',
      RoleSessionName: 'test',
      WebIdentityToken: 'a.b.c',
    }),
  });

const metrics = async (): Promise<string> => (await fetch(`${sidecar.adminUrl}/metrics`)).text();

describe('a caller over its rate', () => {
  it('is answered with SlowDown until the second is over, and others are not', async () => {
    const denied = 'AccessDenied 403';
    expect(await repeat(5, () => get(alice))).toEqual([
      denied,
      denied,
      denied,
      'SlowDown 503',
      'SlowDown 503',
    ]);
    expect(await get(bob)).toBe(denied);
    nowMs += 1000;
    expect(await repeat(4, () => get(alice))).toEqual([denied, denied, denied, 'SlowDown 503']);
  });

  it('is counted and logged, with its principal, and learns when to come back', async () => {
    await repeat(3, () => get(alice));
    const head = await signHead(sidecar.url, { method: 'GET', path: '/data/k', headers: {} });
    const socket = await openSigned(sidecar.url, { method: 'GET', path: '/data/k', headers: {} });
    const answer = readAll(socket);
    // The connection stays usable.
    socket.write(head);
    await expect.poll(() => sidecar.logged.filter((line) => line.includes('"SlowDown"'))).toHaveLength(2);
    socket.end();
    expect((await answer).match(/HTTP\/1\.1 503 [\s\S]*?retry-after: 1\r\n/gi)).toHaveLength(2);
    const record: unknown = JSON.parse(sidecar.logged.find((line) => line.includes('"SlowDown"')) ?? '');
    expect(record).toMatchObject({ principal_arn: 'arn:aws:iam::123456789012:user/alice', status: 503 });
    expect(sidecar.logged.some((line) => line.includes('"limit":"request_rate"'))).toBe(true);
    expect(await metrics()).toMatch(/^sts_sidecar_limit_actions_total\{limit="request_rate"\} 2$/m);
  });

  it('is refused before its body is read, and nothing reaches the store', async () => {
    await repeat(3, () => get(alice));
    const seen = sidecar.seen.length;
    const headers = {
      'content-length': '1000000',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      expect: '100-continue',
    };
    const socket = await openSigned(sidecar.url, { method: 'PUT', path: '/data/k', headers });
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).not.toContain('100 Continue');
    expect(sidecar.seen).toHaveLength(seen);
  });

  it('gets Throttling from STS, with the same count', async () => {
    await repeat(3, () => get(alice));
    const call = stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({}));
    expect(await outcome(call)).toMatch(/^Throttling\w* 400$/);
  });

  it('is the role, whatever the sessions', async () => {
    const sessions = [
      await assume(sidecar.url, alice, 'admin', { RoleSessionName: 'one' }),
      await assume(sidecar.url, alice, 'admin', { RoleSessionName: 'two' }),
    ];
    const list = (): Promise<string[]> =>
      Promise.all(
        sessions.map((session) => outcome(s3Client(sidecar.url, session).send(new ListBucketsCommand({})))),
      );
    const answers = [...(await list()), ...(await list())];
    expect(answers.toSorted()).toEqual(['SlowDown 503', 'allowed', 'allowed', 'allowed']);
  });
});

describe('strangers over the rate of their network', () => {
  it('are refused, and other networks are not', async () => {
    expect(await repeat(4, () => ask('192.0.2.1', '/data/k'))).toEqual([
      ...Array<string>(3).fill('403 AccessDenied'),
      '503 SlowDown',
    ]);
    expect(await ask('192.0.2.2', '/data/k')).toBe('403 AccessDenied');
  });

  it('are one network within 56 bits of IPv6', async () => {
    for (const host of ['1::1', '2::9', 'ff::']) await ask(`2001:db8:0:${host}`, '/data/k');
    expect(await ask('2001:db8:0:7::1', '/data/k')).toBe('503 SlowDown');
    expect(await ask('2001:db8:0:100::1', '/data/k')).toBe('403 AccessDenied');
  });

  it.each([
    ['a wrong signature', wrong],
    ['an unknown key', unknown],
  ])('are refused with %s too, and the failure is logged', async (_, credentials) => {
    const answers = await repeat(4, () => get(credentials));
    expect(answers.slice(0, 3)).not.toContain('SlowDown 503');
    expect(answers[3]).toBe('SlowDown 503');
    const record: unknown = JSON.parse(sidecar.logged.find((line) => line.includes('"SlowDown"')) ?? '');
    expect(record).toMatchObject({ status: 503, access_key_id: credentials.accessKeyId });
    expect(await metrics()).toMatch(/^sts_sidecar_authn_failures_total\{.*\} 4$/m);
    // A caller of the same network is not.
    expect(await get(bob)).toBe('AccessDenied 403');
  });

  it('are refused a login before the provider is looked for', async () => {
    await repeat(3, () => login('192.0.2.1'));
    expect(await login('192.0.2.1')).toBe('400 Throttling');
    expect(await login('192.0.2.2')).toBe('400 InvalidIdentityToken');
  });

  it('cannot log in more often with a signature that is ignored', async () => {
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=x' };
    const first = await repeat(3, () => login('192.0.2.1', headers));
    expect(first).not.toContain('400 Throttling');
    expect(await login('192.0.2.1', headers)).toBe('400 Throttling');
  });

  it('cannot send more preflights with a signature that is ignored', async () => {
    const preflight = (): Promise<string> =>
      ask('192.0.2.1', '/data/k', {
        method: 'OPTIONS',
        headers: { authorization: 'AWS4-HMAC-SHA256 x', origin: 'https://a.example' },
      });
    expect(await repeat(3, preflight)).not.toContain('503 SlowDown');
    const seen = sidecar.seen.length;
    expect(await preflight()).toBe('503 SlowDown');
    expect(sidecar.seen).toHaveLength(seen);
  });

  it('are refused with an empty Authorization header', async () => {
    const send = (): Promise<string> => ask('192.0.2.1', '/data/k', { headers: { authorization: '' } });
    expect((await repeat(4, send)).at(-1)).toBe('503 SlowDown');
  });

  it('are refused a form before it is read', async () => {
    const body = formBody({ fields: [['key', 'k']], file: Buffer.from('x') });
    const send = (): Promise<string> =>
      ask('192.0.2.1', '/data', { method: 'POST', headers: { 'content-type': formType }, body });
    expect(await repeat(3, send)).not.toContain('503 SlowDown');
    expect(await send()).toBe('503 SlowDown');
  });
});

describe('requestsPerSecondPerClient: 0', () => {
  it('is no limit', async () => {
    const open = await startSidecar();
    try {
      const store = s3Client(open.storeUrl, open.storeCredentials);
      await store.send(new CreateBucketCommand({ Bucket: 'data' }));
      await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' }));
      const session = await assume(open.url, alice, 'reader');
      const client = s3Client(open.url, session);
      const gets = Array.from({ length: 50 }, () =>
        outcome(client.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }))),
      );
      expect(new Set(await Promise.all(gets))).toEqual(new Set(['allowed']));
    } finally {
      await open.stop();
    }
  });
});
