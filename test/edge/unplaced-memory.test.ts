import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
let swarm: Swarm;

beforeEach(async () => {
  sidecar = await startSidecar({ directory: openDirectory });
  swarm = new Swarm(sidecar.url);
});
afterEach(async () => {
  swarm.close();
  await sidecar.stop();
});

const connections = 220;
const filling =
  'x-filling: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(
    220,
  );

async function acted(limit: string, { adminUrl }: TestSidecar): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(metrics.match(`limit_actions_total\\{limit="${limit}"\\} (\\d+)`)?.[1] ?? 0);
}

const closed = (from = sidecar): Promise<number> => acted('unfinished_heads', from);

const answered = (status: string): number =>
  swarm.answers.filter((answer) => answer.startsWith(`HTTP/1.1 ${status} `)).length;

describe('the limit of heads outside places does not count', () => {
  it('answered heads of 20 KiB on connections that stay open', async () => {
    for (let index = 0; index < connections; index += 1)
      swarm.open(`GET /data/k HTTP/1.1\r\nHost: a\r\n${filling}\r\n`);
    await expect.poll(() => answered('403')).toBe(connections);
    expect([swarm.openCount, await closed()]).toEqual([connections, 0]);
  });

  it('requests that follow each other on a connection', async () => {
    const request = `GET /data/k HTTP/1.1\r\nHost: a\r\n${filling}\r\n`;
    for (let index = 0; index < 8; index += 1) swarm.open(request);
    for (let round = 2; round <= 40; round += 1) {
      await expect.poll(() => answered('403')).toBe(8);
      swarm.answers.fill('');
      for (const socket of swarm.sockets) socket.write(request);
    }
    await expect.poll(() => answered('403')).toBe(8);
    expect([swarm.openCount, await closed()]).toEqual([8, 0]);
  });

  it('bodies of uploads in progress, and of refused uploads that are still read', async () => {
    const head = await signedHead(
      sidecar.url,
      alice,
      { method: 'PUT', path: '/data/k' },
      'Content-Length: 500000\r\n',
    );
    const refused = 'PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n';
    const body = Buffer.alloc(200_000, 'a');
    for (let index = 0; index < 30; index += 1) {
      swarm.open(Buffer.concat([Buffer.from(head), body]));
      swarm.open(Buffer.concat([Buffer.from(refused), body]));
    }
    await expect.poll(() => answered('403')).toBe(30);
    await expect.poll(() => swarm.sockets.every(({ writableLength }) => writableLength === 0)).toBe(true);
    // A refused upload that stalls ends after two seconds, which may have passed by now.
    const isInProgress = (index: number): boolean =>
      index % 2 === 0 && swarm.sockets[index]?.destroyed === false;
    expect([swarm.sockets.filter((_, index) => isInProgress(index)).length, await closed()]).toEqual([30, 0]);
  });
});

it('heads count in full where maxHeaderBytes allows long ones', async () => {
  const patient = await startSidecar({ server: '  limits: { maxHeaderBytes: 262144 }' });
  const attacker = new Swarm(patient.url);
  try {
    const field = `x-filling: ${'a'.repeat(2_000)}\r\n`;
    for (let index = 0; index < 200; index += 1)
      attacker.open(`GET /data/k HTTP/1.1\r\nHost: a\r\n${field.repeat(100)}`);
    // 200 × 200 KB are more than twice the limit.
    await expect.poll(() => closed(patient)).toBeGreaterThan(30);
  } finally {
    attacker.close();
    await patient.stop();
  }
});

it('a head that was dropped counts until its connection closes, whatever comes after it', async () => {
  const silentStore = createServer((socket) => socket.on('error', () => undefined).resume());
  const patient = await startSidecar({
    directory: openDirectory,
    server: '  limits: { maxHeaderBytes: 262144 }',
    backend: await listenAsStore(silentStore),
  });
  const attacker = new Swarm(patient.url);
  try {
    const head = await signedHead(patient.url, alice, { method: 'GET', path: '/data/k' });
    // More than may wait on a connection.
    const dropped = `GET / HTTP/1.1\r\n${`x-filling: ${'a'.repeat(2_000)}\r\n`.repeat(100)}\r\n`;
    // 50 take less than 16 MiB, 100 take more.
    for (const count of [50, 100]) {
      expect(await closed(patient)).toBe(0);
      while (attacker.sockets.length < count) attacker.open(head + dropped);
      await expect.poll(() => acted('pipelined', patient)).toBe(count);
      for (const socket of attacker.sockets) if (socket.writable) socket.write('G');
    }
    expect(await closed(patient)).toBeGreaterThan(0);
  } finally {
    attacker.close();
    await patient.stop();
    silentStore.close();
  }
});
