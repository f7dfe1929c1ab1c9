import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { alice, startSidecar, type TestSidecar, type TestSidecarOptions } from '../support/sidecar.ts';

let sidecar: TestSidecar;
let swarm: Swarm;
let silentStore: Server | undefined;

async function start(limits = '{}', backend?: TestSidecarOptions['backend']): Promise<void> {
  sidecar = await startSidecar({
    directory: openDirectory,
    server: `  limits: ${limits}`,
    ...(backend === undefined ? {} : { backend }),
  });
  swarm = new Swarm(sidecar.url);
}
afterEach(async () => {
  swarm.close();
  silentStore?.close();
  await sidecar.stop();
});

const signed = (): Promise<string> => signedHead(sidecar.url, alice, { method: 'GET', path: '/data/k' });
const answered = (): number => swarm.answers.filter((answer) => answer.startsWith('HTTP/1.1 ')).length;

const statusLines = (answer: string): number => answer.split('HTTP/1.1 ').length - 1;

async function limitActions(limit: string): Promise<number> {
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  return Number(metrics.match(`limit_actions_total\\{limit="${limit}"\\} (\\d+)`)?.[1] ?? 0);
}

/** Status of a request without a signature, on a connection of its own, whose head arrives in two pieces. */
async function askInTwoPieces(): Promise<string> {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  let answer = '';
  socket
    .on('error', () => undefined)
    .on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
  await once(socket, 'connect');
  socket.write(`GET /data/k HTTP/1.1\r\nHost: a\r\nx-filling: ${'a'.repeat(2_000)}\r\n`);
  // The server has read the first piece once it has answered this.
  await fetch(`${sidecar.adminUrl}/livez`);
  socket.end('Connection: close\r\n\r\n');
  await once(socket, 'close');
  return answer.split('\r\n', 1)[0] ?? '';
}

describe('callers who verified one request on each connection', () => {
  it('do not keep the heads of others out with unfinished heads of their own', async () => {
    await start();
    const head = await signed();
    for (let index = 0; index < 400; index += 1) swarm.open(head);
    await expect.poll(answered).toBe(400);
    const field = `x-filling: ${'a'.repeat(110)}\r\n`;
    for (const socket of swarm.sockets) socket.write(`GET / HTTP/1.1\r\n${field.repeat(240)}`);
    await expect.poll(() => swarm.openCount).toBeLessThan(400);
    for (let round = 0; round < 5; round += 1) expect(await askInTwoPieces()).toBe('HTTP/1.1 403 Forbidden');
  });

  it('keep half of the connections at most while others need some', async () => {
    await start('{ maxConnections: 100 }');
    const head = await signed();
    for (let index = 0; index < 89; index += 1) swarm.open(head);
    await expect.poll(answered).toBe(89);
    const asked = Array.from({ length: 20 }, () => askInTwoPieces());
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, () => 'HTTP/1.1 403 Forbidden'));
    expect(swarm.openCount).toBeGreaterThanOrEqual(50);
  });
});

it('requests that wait behind others share one limit across all connections', async () => {
  const sockets = new Set<Socket>();
  silentStore = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await start('{}', await listenAsStore(silentStore));
  const head = await signed();
  const waiting = `GET / HTTP/1.1\r\nHost: a\r\n${'AA:\r\n'.repeat(120)}\r\n`;
  // Each connection is within its own limit; together they take some 24 MiB.
  for (let index = 0; index < 300; index += 1) swarm.open(head + waiting.repeat(5));
  await expect.poll(() => limitActions('pipelined')).toBeGreaterThan(100);
  silentStore.on('connection', (socket) => socket.destroy());
  for (const socket of sockets) socket.destroy();
  // On every connection the first waiting request is answered, and the dropped ones are not.
  await expect.poll(() => swarm.answers.every((answer) => statusLines(answer) >= 2)).toBe(true);
  await expect.poll(() => swarm.openCount).toBeLessThan(200);
});

it('nothing that follows an upload refused early is served', async () => {
  await start();
  const upload = 'PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n';
  for (let index = 0; index < 20; index += 1) swarm.open(upload);
  await expect.poll(answered).toBe(20);
  for (const socket of swarm.sockets) socket.write('xGET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
  await expect.poll(() => swarm.openCount).toBe(0);
  expect(swarm.answers.map(statusLines)).toEqual(swarm.answers.map(() => 1));
});
