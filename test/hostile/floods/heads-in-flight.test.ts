import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { signedHead } from '../../support/hostile/signed.ts';
import { Swarm } from '../../support/hostile/sockets.ts';
import { chartLimits, expectToRun, memoryLimitMiB, underAttack } from '../../support/hostile/under-attack.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { alice } from '../../support/sidecar.ts';

const scene = underAttack();
let store: Server | undefined;
afterEach(() => void store?.close());

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
  return startProgram({ limits: chartLimits, store: target, heapMiB });
}

it('a caller cannot exhaust memory with long heads of requests in flight and behind them', {
  timeout: 120_000,
}, async () => {
  // Less than in the chart, because nothing else takes memory at the same time.
  const attacked = await startBefore((socket) => socket.resume(), 96);
  scene.program = attacked;
  const swarm = new Swarm(attacked.url);
  scene.swarm = swarm;
  const head = await signedHead(attacked.url, alice, { method: 'GET', path: '/data/k' }, longFields);
  for (let index = 0; index < 520; index += 1) {
    swarm.open(head + head);
    if (index % 20 === 19) await setTimeout(30);
  }
  await expect
    .poll(() => attacked.metric('sts_sidecar_requests_in_flight{listener="s3"}'), { timeout: 30_000 })
    .toBeGreaterThan(200);
  await expectToRun(attacked, 2);
  expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
});

it('a caller cannot exhaust memory with the long heads of uploads that the store answers early', {
  timeout: 120_000,
}, async () => {
  const refusal = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
  const attacked = await startBefore((socket) => socket.once('data', () => socket.write(refusal)), 72);
  scene.program = attacked;
  const swarm = new Swarm(attacked.url);
  scene.swarm = swarm;
  const fields = `Content-Length: 1000000\r\n${longFields}`;
  const head = await signedHead(attacked.url, alice, { method: 'PUT', path: '/data/k' }, fields);
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
