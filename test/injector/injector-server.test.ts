import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ByteBudget, type Reservation } from '../../src/core/byte-budget.ts';
import { closeServer, listen } from '../../src/edge/shutdown.ts';
import { createInjectorServer } from '../../src/injector/injector-server.ts';
import { serviceAccountReader } from '../../src/injector/service-accounts.ts';
import { Log } from '../../src/observe/log.ts';
import { GuardedFetch } from '../../src/outbound/guarded-fetch.ts';
import { collectGarbage } from '../support/heap.ts';
import { type LocalServer, startLocalServer, testCaFile } from '../support/identity-provider.ts';
import { injectorSettings } from '../support/injector-settings.ts';

const role = 'arn:aws:iam::123456789012:role/reports';
const tlsFile = (name: string): string =>
  readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'injector-'));
const tokenFile = join(folder, 'token');
const asked: string[] = [];
const logged: string[] = [];
/** What the API server answers about every service account. */
let account: { status: number; body: string };
/** Answers that the API server holds back; `undefined` while it answers at once. */
let held: (() => void)[] | undefined;
let apiServer: LocalServer;
let fetch: GuardedFetch;
let server: Server;
let port: number;

beforeAll(async () => {
  writeFileSync(tokenFile, 'token-of-the-injector\n');
  apiServer = await startLocalServer((message, response) => {
    asked.push(`${message.method} ${message.url} ${message.headers.authorization}`);
    const { status, body } = account;
    const answer = (): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    };
    if (held === undefined) answer();
    else held.push(answer);
  }, true);
  fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 4 });
  const settings = {
    ...injectorSettings,
    tls: { certPem: tlsFile('server.pem'), keyPem: tlsFile('server-key.pem') },
    apiServer: { url: apiServer.url, caFile: testCaFile, tokenFile },
  };
  server = createInjectorServer({
    settings,
    readServiceAccount: serviceAccountReader(settings.apiServer, fetch),
    log: new Log(
      { level: 'info', requests: true, objectKeys: 'full' },
      { write: (line) => void logged.push(line) },
    ),
  });
  port = await listen(server, '127.0.0.1', 0);
});
beforeEach(() => {
  asked.length = 0;
  logged.length = 0;
  held = undefined;
  account = {
    status: 200,
    body: JSON.stringify({ metadata: { annotations: { 'sts-sidecar/role-arn': role } } }),
  };
});
afterAll(async () => {
  await closeServer(server, 0);
  await fetch.close();
  await apiServer.close();
  rmSync(folder, { recursive: true, force: true });
});

const review = (annotations: object): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'uid-1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace: 'apps',
      object: {
        metadata: { generateName: 'reports-', annotations },
        spec: { serviceAccountName: 'reports', containers: [{ name: 'app' }] },
      },
    },
  });

function heapAfterGarbage(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function send(body: string | Buffer, path = '/inject?timeout=10s', method = 'POST'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      path,
      method,
      ca: readFileSync(testCaFile),
      host: '127.0.0.1',
      agent: false,
    } as const;
    const sending = request(options, (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse(Buffer.concat(pieces).toString()) as Answered['body'],
        }),
      );
    });
    sending.on('error', reject);
    sending.end(method === 'GET' ? undefined : body);
  });
}

describe('the injector', () => {
  it('answers a review with a patch, over TLS', async () => {
    const { status, body } = await send(review({ 'sts-sidecar/role-arn': role }));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: 'AdmissionReview',
      response: { uid: 'uid-1', allowed: true, patchType: 'JSONPatch' },
    });
    expect(asked).toEqual([]);
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({
      component: 'injector',
      msg: 'pod given a role',
      namespace: 'apps',
      pod: 'reports-',
      service_account: 'reports',
      role_arn: role,
      containers: ['app'],
    });
  });

  it('asks the API server about the service account, with its own token', async () => {
    const { body } = await send(review({}));
    expect(body).toMatchObject({ response: { allowed: true, patchType: 'JSONPatch' } });
    expect(asked).toEqual([
      'GET /api/v1/namespaces/apps/serviceaccounts/reports Bearer token-of-the-injector',
    ]);
    expect(logged.join('')).not.toContain('token-of-the-injector');
  });

  it('leaves a pod alone whose service account names no role', async () => {
    account = { status: 200, body: '{"metadata":{}}' };
    const { body } = await send(review({}));
    expect(body).toMatchObject({ response: { uid: 'uid-1', allowed: true } });
    expect(JSON.stringify(body)).not.toContain('patch');
    expect(logged).toEqual([]);
  });

  it.each([
    ['may not read it', 403, '{}'],
    ['fails', 500, '{}'],
    ['answers something else', 200, '[]'],
    ['answers no JSON', 200, '<html>'],
  ])('leaves the decision to the failure policy when the API server %s', async (_, status, body) => {
    account = { status, body };
    const answer = await send(review({}));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body['response']).toBeUndefined();
  });

  it('refuses a pod with a role that is none, and says so', async () => {
    const { status, body } = await send(review({ 'sts-sidecar/role-arn': 'reports' }));
    expect([status, body['response']]).toEqual([
      200,
      {
        uid: 'uid-1',
        allowed: false,
        status: { code: 403, message: 'sts-sidecar: "reports" is not the ARN of a role' },
      },
    ]);
    expect(logged[0]).toContain('pod refused');
  });

  it.each<[string, string | Buffer, number]>([
    ['nothing', '', 400],
    ['half of a review', review({}).slice(0, 100), 400],
    ['a repeated key', '{"kind":"AdmissionReview","kind":"AdmissionReview"}', 400],
    ['a deep document', `${'['.repeat(1000)}${']'.repeat(1000)}`, 400],
    ['another document', '{"apiVersion":"v1","kind":"Pod"}', 400],
    ['more than a pod can have', Buffer.alloc(3_145_729, 'x'), 413],
  ])('refuses %s', async (_, body, status) => {
    expect((await send(body)).status).toBe(status);
  });

  it.each([
    ['empty mappings', '{}'],
    ['empty lists', '[]'],
  ])('parses no more %s at once than fit its memory', async (_, piece) => {
    const further = `[${Array.from({ length: 300_000 }, () => piece).join(',')}]`;
    const body = review({ 'sts-sidecar/role-arn': role }).replace('{', `{"further":${further},`);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(body)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect((await send(review({ 'sts-sidecar/role-arn': role }))).status).toBe(200);
  });

  it('logs no more than the beginning of a name, and no more than some names', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `${index}-${'n'.repeat(5_000)}`);
    const pod = JSON.parse(review({ 'sts-sidecar/role-arn': role })) as {
      request: { object: { spec: object } };
    };
    const own = names.slice(50).map((name) => ({ name, env: [{ name: 'AWS_PROFILE', value: 'a' }] }));
    Object.assign(pod.request.object.spec, {
      containers: [...names.slice(0, 50).map((name) => ({ name })), ...own],
    });
    expect((await send(JSON.stringify(pod))).status).toBe(200);
    expect(logged[0]).toContain('and 34 more');
    expect(logged[0]?.length).toBeLessThan(5_000);
  });

  it('has nothing else', async () => {
    expect((await send('', '/livez', 'GET')).status).toBe(200);
    expect((await send('', '/inject', 'GET')).status).toBe(405);
    expect((await send('', '/', 'POST')).status).toBe(404);
    expect((await send('', '/metrics', 'GET')).status).toBe(404);
  });

  it('answers while others hold connections', async () => {
    const others = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'));
    for (const one of others) one.on('error', () => undefined);
    expect((await send(review({ 'sts-sidecar/role-arn': role }))).status).toBe(200);
    for (const one of others) one.destroy();
  });
});

describe('while the API server takes its time', () => {
  const start = async (body: string): Promise<Socket> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: readFileSync(testCaFile) });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.write(`POST /inject HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return socket;
  };

  /** Sends a review, and leaves once the injector has asked about its pod. */
  const leave = async (body: string): Promise<void> => {
    const before = asked.length;
    const socket = await start(body);
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before), { timeout: 5_000 });
    socket.destroy();
    await once(socket, 'close');
  };

  it('keeps next to nothing of large reviews, whether their clients stay or leave', async () => {
    held = [];
    const further = `"volumes":[{"name":"v","x":[${'{},'.repeat(200_000)}{}]}]`;
    const body = review({}).replace('"containers"', `${further},"containers"`);
    await leave(body);
    const before = heapAfterGarbage();
    for (let count = 0; count < 4; count += 1) await leave(body);
    expect(heapAfterGarbage() - before).toBeLessThan(4_000_000);
    for (const answer of held) answer();
  });

  it('keeps the reservation of a client that has left until the work is over', async () => {
    const reserved = vi.spyOn(ByteBudget.prototype, 'reserve');
    held = [];
    await leave(review({}));
    const [reservation] = reserved.mock.results.map(({ value }) => value as Reservation);
    reserved.mockRestore();
    expect(reservation?.bytes).toBeGreaterThan(0);
    held[0]?.();
    await vi.waitFor(() => expect(reservation?.bytes).toBe(0));
  });

  it('asks so many questions at once, and none for a client that has left the line', async () => {
    const reserved = vi.spyOn(ByteBudget.prototype, 'reserve');
    const waiting = (): number =>
      reserved.mock.results.filter(({ value }) => (value as Reservation).bytes > 0).length;
    const answers: (() => void)[] = [];
    held = answers;
    const staying = Array.from({ length: 16 }, () => send(review({})));
    await vi.waitFor(() => expect(answers).toHaveLength(16));
    const gone = await Promise.all(Array.from({ length: 8 }, () => start(review({}))));
    await vi.waitFor(() => expect(waiting()).toBe(24));
    for (const socket of gone) socket.destroy();
    await vi.waitFor(() => expect(waiting()).toBe(16));
    reserved.mockRestore();
    const last = send(review({}));
    held = undefined;
    for (const answer of answers) answer();
    expect((await Promise.all([...staying, last])).map(({ status }) => status)).toEqual(Array(17).fill(200));
    expect(asked).toHaveLength(17);
  });
});
