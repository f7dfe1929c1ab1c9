import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
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

let store: Server | undefined;
let program: Program | undefined;
let swarm: Swarm | undefined;

afterEach(async () => {
  swarm?.close();
  store?.close();
  await program?.stop();
});

// Node keeps each name twice when it has capital letters.
const longFields = Array.from(
  { length: 246 },
  (_, index) => `H${String(index).padStart(6, '0')}${'A'.repeat(112)}:\r\n`,
).join('');

/** The built program before a store that does the same with each connection. */
async function startBefore(serve: (socket: Socket) => void, heapMiB: number): Promise<Program> {
  store = createServer((socket) => serve(socket.on('error', () => undefined)));
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  const target = { url: `http://127.0.0.1:${port}`, secretAccessKey: 'store-secret' };
  return startProgram({ limits, store: target, heapMiB });
}

it('a caller cannot exhaust memory with long heads of requests in flight and behind them', {
  timeout: 120_000,
}, async () => {
  // Less than in the chart: what others take at the same time is not there.
  program = await startBefore((socket) => socket.resume(), 96);
  swarm = new Swarm(program.url);
  const head = await signedHead(program.url, alice, { method: 'GET', path: '/data/k' }, longFields);
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

it('a caller cannot exhaust memory with the long heads of uploads that the store answers early', {
  timeout: 120_000,
}, async () => {
  const refusal = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
  program = await startBefore((socket) => socket.once('data', () => socket.write(refusal)), 72);
  const attacked = program;
  swarm = new Swarm(program.url);
  const fields = `Content-Length: 1000000\r\n${longFields}`;
  const head = await signedHead(program.url, alice, { method: 'PUT', path: '/data/k' }, fields);
  for (let index = 0; index < 1_020 && attacked.isRunning(); index += 1) {
    swarm.open(`${head}a`);
    if (index % 20 !== 19) continue;
    await setTimeout(30);
    // The store gets the head with the second piece. A client that goes on sending has longer to read its answer.
    for (const socket of swarm.sockets) socket.write('a');
  }
  const { answers } = swarm;
  await expect
    .poll(() => answers.filter((answer) => answer.startsWith('HTTP/1.1 404 ')).length, { timeout: 20_000 })
    .toBeGreaterThan(900);
  expect(attacked.isRunning(), attacked.output().slice(-2000)).toBe(true);
});
