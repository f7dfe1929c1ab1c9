import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { build, type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';

/** The memory limit of the chart, MiB, and its limits. */
const memoryLimitMiB = 320;
const limits = '{ maxConnections: 4000, maxInFlight: 500, maxBufferedBytes: 33554432 }';

beforeAll(build, 120_000);

let silentStore: Server | undefined;
let program: Program | undefined;
let swarm: Swarm | undefined;

afterEach(async () => {
  swarm?.close();
  silentStore?.close();
  await program?.stop();
});

it('a caller cannot exhaust memory with long heads of requests in flight and behind them', {
  timeout: 120_000,
}, async () => {
  silentStore = createServer((socket) => socket.on('error', () => undefined).resume());
  silentStore.listen(0, '127.0.0.1');
  await once(silentStore, 'listening');
  const { port } = silentStore.address() as AddressInfo;
  const store = { url: `http://127.0.0.1:${port}`, secretAccessKey: 'store-secret' };
  // Less than in the chart: what others take at the same time is not there.
  program = await startProgram({ limits, store, heapMiB: 96 });
  swarm = new Swarm(program.url);
  // Node keeps each name twice when it has capital letters.
  const names = Array.from(
    { length: 246 },
    (_, index) => `H${String(index).padStart(6, '0')}${'A'.repeat(112)}:\r\n`,
  );
  const head = await signedHead(program.url, alice, { method: 'GET', path: '/data/k' }, names.join(''));
  for (let index = 0; index < 520; index += 1) {
    swarm.open(head + head);
    if (index % 20 === 19) await setTimeout(30);
  }
  const attacked = program;
  await expect
    .poll(() => attacked.metric('sts_sidecar_requests_in_flight{listener="s3"}'), { timeout: 30_000 })
    .toBeGreaterThan(200);
  for (let round = 0; round < 10; round += 1) {
    await setTimeout(200);
    expect(attacked.isRunning(), attacked.output().slice(-2000)).toBe(true);
  }
  expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
});
