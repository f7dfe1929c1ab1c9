import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type AcceptedSockets, acceptedOn } from '../support/accepted-sockets.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
let swarm: Swarm;
let store: Server;
let accepted: AcceptedSockets;

async function start(asStore: Server): Promise<void> {
  store = asStore;
  sidecar = await startSidecar({ directory: openDirectory, backend: await listenAsStore(store) });
  swarm = new Swarm(sidecar.url);
  accepted = acceptedOn(Number(new URL(sidecar.url).port));
}
const silentStore = (): Server =>
  createServer((socket: Socket) => socket.on('error', () => undefined).resume());
afterEach(async () => {
  swarm.close();
  accepted.stop();
  await sidecar.stop();
  store.close();
});

async function pipelined(): Promise<number> {
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  return Number(/limit_actions_total\{limit="pipelined"\} (\d+)/.exec(metrics)?.[1] ?? 0);
}

const get = (): Promise<string> => signedHead(sidecar.url, alice, { method: 'GET', path: '/data/k' });
const put = (length: number): string =>
  `PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'a'.repeat(length)}`;

it('bodies that come ahead of their turn share one limit across all connections', async () => {
  await start(silentStore());
  const head = await get();
  // A connection is read until 32 KiB wait, so together they take 13 MiB at least.
  for (let index = 0; index < 400; index += 1) swarm.open(head + put(64_000));
  await expect.poll(pipelined).toBeGreaterThan(0);
});

it('a connection is no longer read once too much waits on it', async () => {
  await start(silentStore());
  // Each body is longer than what a message buffers: Node stops reading by itself, and resumes when the message is complete.
  const socket = swarm.open((await get()) + put(64_000).repeat(80));
  const bytesRead = (): number => accepted.sockets[0]?.bytesRead ?? 0;
  await expect.poll(bytesRead).toBeGreaterThan(32_768);
  for (let round = 0; round < 20; round += 1) await pipelined();
  expect(bytesRead()).toBeLessThan(256 * 1024);
  expect([socket.destroyed, await pipelined()]).toEqual([false, 0]);
});

it('long pipelined uploads run one after the other', async () => {
  const lengths: number[] = [];
  const counting = createHttpServer((message, response) => {
    let length = 0;
    message.on('data', (piece: Buffer) => {
      length += piece.length;
    });
    message.on('end', () => {
      lengths.push(length);
      setTimeout(() => response.writeHead(200, { etag: '"e"' }).end(), 20);
    });
  });
  await start(counting);
  let bytes = '';
  for (let index = 0; index < 8; index += 1) {
    const length = 100_000 + index;
    const framing = `Content-Length: ${length}\r\n`;
    const head = await signedHead(sidecar.url, alice, { method: 'PUT', path: '/data/k' }, framing);
    bytes += head + 'a'.repeat(length);
  }
  swarm.open(bytes);
  await expect.poll(() => swarm.answers[0]?.split('HTTP/1.1 200 ').length).toBe(9);
  expect(lengths).toEqual(lengths.map((_, index) => 100_000 + index));
});
