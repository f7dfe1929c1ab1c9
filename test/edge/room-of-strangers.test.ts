import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { stsHead } from '../support/hostile/sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';

/** The ten seconds of one stranger, which pass while the other tests run. */
let patient: TestSidecar;
let tenSeconds: Promise<{ readonly answer: string; readonly tookMs: number }>;
beforeAll(async () => {
  patient = await startSidecar({ directory: openDirectory });
  const startedAt = Date.now();
  const { hostname, port } = new URL(patient.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(`${stsHead(100)}Action=x`, 'latin1');
  tenSeconds = readAll(socket).then((answer) => ({ answer, tookMs: Date.now() - startedAt }));
});
afterAll(() => patient.stop());

let sidecar: TestSidecar;
beforeEach(async () => {
  sidecar = await startSidecar({
    directory: openDirectory,
    server: '  limits: { maxUnauthenticated: 2, maxInFlight: 1, maxConnections: 20 }',
  });
});
afterEach(() => sidecar.stop());

function open(bytes = ''): Socket {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  return socket;
}

const metrics = async (): Promise<string> => (await fetch(`${sidecar.adminUrl}/metrics`)).text();
const unauthenticated = async (): Promise<string | undefined> =>
  /^sts_sidecar_unauthenticated_requests (\d+)$/m.exec(await metrics())?.[1];

describe('a stranger whose form never arrives', () => {
  it('gives way to the third, gets an STS error, and loses its connection', async () => {
    const first = open(stsHead(100));
    const answer = readAll(first);
    await expect.poll(unauthenticated).toBe('1');
    open(stsHead(100));
    await expect.poll(unauthenticated).toBe('2');
    open(stsHead(100, 'Accept: application/json\r\n'));
    expect(await answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*connection: close[\s\S]*<Code>Throttling<\/Code>/i);
    expect(await unauthenticated()).toBe('2');
    expect(await metrics()).toContain('sts_sidecar_limit_actions_total{limit="unauthenticated"} 1');
    expect(sidecar.logged.join('')).toContain('"limit":"unauthenticated"');
  });

  it('keeps no caller out', async () => {
    const sockets = Array.from({ length: 10 }, () => open(stsHead(100)));
    await expect.poll(unauthenticated).toBe('2');
    expect(await outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({})))).toBe('allowed');
    expect(await outcome(stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({})))).toBe(
      'allowed',
    );
    for (const socket of sockets) socket.destroy();
    await expect.poll(unauthenticated).toBe('0');
  });
});

describe('connections without a request', () => {
  it('give way to new ones, oldest first', async () => {
    const sockets: Socket[] = [];
    for (let index = 0; index < 19; index += 1) {
      const socket = open('GET / HTTP/1.1\r\n');
      await once(socket, 'connect');
      sockets.push(socket);
      await setTimeout(5);
    }
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
    expect(sockets.at(-1)?.destroyed).toBe(false);
    expect(await outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({})))).toBe('allowed');
    expect(await metrics()).toMatch(/sts_sidecar_limit_actions_total\{limit="connections"\} [1-9]/);
    for (const socket of sockets) socket.destroy();
  });

  it('are closed before those of a known caller, and before one whose request is being answered', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '200000' };
    const upload = await openSigned(sidecar.url, { method: 'PUT', path: '/data/k', headers });
    upload.on('error', () => undefined);
    await expect.poll(metrics).toMatch(/^sts_sidecar_requests_in_flight\{listener="s3"\} 1$/m);
    const sockets = Array.from({ length: 60 }, () => open('GET / HTTP/1.1\r\n'));
    await expect.poll(() => sockets.filter((socket) => socket.destroyed).length).toBeGreaterThan(30);
    expect(upload.destroyed).toBe(false);
    upload.destroy();
    for (const socket of sockets) socket.destroy();
  });
});

it('a new connection is served while all others are busy', async () => {
  const busy = await startSidecar({ directory: openDirectory, server: '  limits: { maxConnections: 4 }' });
  try {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '200000' };
    const uploads = await Promise.all(
      [1, 2, 3].map(() => openSigned(busy.url, { method: 'PUT', path: '/data/k', headers })),
    );
    for (const upload of uploads) upload.on('error', () => undefined);
    const text = async (): Promise<string> => (await fetch(`${busy.adminUrl}/metrics`)).text();
    await expect.poll(text).toMatch(/^sts_sidecar_requests_in_flight\{listener="s3"\} 3$/m);
    expect(await outcome(s3Client(busy.url, alice).send(new ListBucketsCommand({})))).toBe('allowed');
    for (const upload of uploads) upload.destroy();
  } finally {
    await busy.stop();
  }
});

describe('the admin listener', () => {
  it('answers probes while thousands of heads do not end', async () => {
    const { hostname, port } = new URL(sidecar.adminUrl);
    const sockets = Array.from({ length: 1000 }, () => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => undefined);
      socket.write('GET /livez HTTP/1.1\r\n');
      return socket;
    });
    await expect.poll(() => sockets.filter((socket) => socket.destroyed).length).toBeGreaterThan(800);
    expect((await fetch(`${sidecar.adminUrl}/livez`)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

it('strangers of one address keep out no form of another one that comes in two pieces', async () => {
  const usual = await startSidecar({ directory: openDirectory });
  onTestFinished(() => usual.stop());
  const { hostname: host, port } = new URL(usual.url);
  const form = 'Action=GetSessionToken&Version=2011-06-15';
  const honest = connect({ host, port: Number(port) });
  const answer = readAll(honest);
  honest.write(stsHead(form.length, 'Connection: close\r\n') + form.slice(0, 20));
  const metricsOf = async (): Promise<string> => (await fetch(`${usual.adminUrl}/metrics`)).text();
  await expect.poll(metricsOf).toMatch(/^sts_sidecar_unauthenticated_requests 1$/m);
  const others = Array.from({ length: 100 }, () => {
    const socket = connect({ host, port: Number(port), localAddress: '127.0.0.2' });
    socket.on('error', () => undefined).write(stsHead(100), 'latin1');
    return socket;
  });
  await expect.poll(metricsOf).toMatch(/^sts_sidecar_limit_actions_total{limit="unauthenticated"} 3\d$/m);
  honest.write(form.slice(20));
  expect(await answer).toMatch(/<Code>MissingAuthenticationToken</);
  for (const socket of others) socket.destroy();
});

it('a stranger whose form never arrives has ten seconds', async () => {
  const { answer, tookMs } = await tenSeconds;
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>RequestTimeout</);
  expect(tookMs).toBeGreaterThanOrEqual(9_900);
});
