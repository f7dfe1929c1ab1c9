import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

/** Connections to a store that never answers. */
const open = new Set<Socket>();
let accepted = 0;
const store = createServer((socket) => {
  open.add(socket);
  accepted += 1;
  socket.on('error', () => undefined);
  socket.on('close', () => open.delete(socket));
  socket.resume();
});
let backend: Awaited<ReturnType<typeof listenAsStore>>;
let sidecar: TestSidecar;

beforeAll(async () => {
  backend = await listenAsStore(store);
  sidecar = await startSidecar({ directory: openDirectory, backend });
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await sidecar.stop();
  store.close();
});

const preflight =
  'OPTIONS /data/k HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n\r\n';

it('preflights already sent to the store are not cut off by others, and end soon after their clients leave', async () => {
  const swarm = new Swarm(sidecar.url);
  for (let index = 0; index < 150; index += 1) swarm.open(preflight);
  // Those that gave way are answered.
  await expect.poll(() => swarm.answers.filter((answer) => answer !== '').length).toBeGreaterThanOrEqual(86);
  expect(accepted).toBe(32);
  expect(open.size).toBe(32);
  swarm.close();
  await expect.poll(() => open.size).toBe(0);
});

it.each([
  [32, 16],
  [1, 1],
])(
  'of %i places for strangers, preflights at the store take %i at most',
  async (maxUnauthenticated, most) => {
    const small = await startSidecar({
      directory: openDirectory,
      backend,
      server: `  limits: { maxUnauthenticated: ${maxUnauthenticated} }`,
    });
    onTestFinished(() => small.stop());
    const swarm = new Swarm(small.url);
    for (let index = 0; index < 60; index += 1) swarm.open(preflight);
    await expect
      .poll(() => swarm.answers.filter((answer) => answer !== '').length)
      .toBeGreaterThanOrEqual(59 - maxUnauthenticated);
    expect(open.size).toBe(most);
    swarm.close();
    await expect.poll(() => open.size).toBe(0);
  },
);

it('a preflight whose client leaves is cut off a second later, not at once', async () => {
  const clients = acceptedOn(Number(new URL(sidecar.url).port));
  const swarm = new Swarm(sidecar.url);
  swarm.open(preflight);
  await expect.poll(() => open.size).toBe(1);
  const closed = new Promise((resolve) => clients.sockets[0]?.once('close', resolve));
  clients.stop();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  swarm.close();
  await closed;
  // Whatever the sidecar sends to the store when a client leaves, it sends before these answers.
  for (let round = 0; round < 5; round += 1) await (await fetch(`${sidecar.adminUrl}/livez`)).text();
  expect(open.size).toBe(1);
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  await expect.poll(() => open.size).toBe(0);
});

it.each([1, 2])(
  'a client that goes away ends its request at the store, with %i sent at once',
  async (count) => {
    const { hostname, port } = new URL(sidecar.url);
    const get = await signedHead(sidecar.url, alice, { method: 'GET', path: '/data/k' });
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    socket.write(get.repeat(count), 'latin1');
    await expect.poll(() => open.size).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(() => open.size).toBe(0);
  },
);

it('a preflight with a body, whose client could go away unnoticed, is refused', async () => {
  const swarm = new Swarm(sidecar.url);
  const head = 'OPTIONS /data/k HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n';
  swarm.open(
    `${head}Access-Control-Request-Method: GET\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(99_000)}`,
  );
  await expect.poll(() => swarm.answers[0]).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>InvalidRequest</);
  expect(open.size).toBe(0);
  swarm.close();
});
