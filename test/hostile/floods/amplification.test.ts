import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import {
  headsOfTinyHeaders,
  metricsPipelines,
  tinyPipelines,
  unreadDownloads,
  waitingChunks,
  waitingHeaders,
  waitingTinyBodies,
  waitingTrailers,
} from '../../support/hostile/amplifiers.ts';
import type { Attack } from '../../support/hostile/attacks.ts';
import { inBytes } from '../../support/hostile/sockets.ts';
import { chartLimits, expectToRun, memoryLimitMiB, underAttack } from '../../support/hostile/under-attack.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { s3Client } from '../../support/sdk.ts';
import { alice } from '../../support/sidecar.ts';

const scene = underAttack();

async function start(): Promise<Program> {
  const program = await startProgram({ limits: chartLimits });
  scene.program = program;
  const store = s3Client(program.storeUrl, program.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'hello' }));
  const large = Buffer.alloc(16 * 1024 * 1024);
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'large', Body: large }));
  return program;
}

async function read({ url }: Program): Promise<string | undefined> {
  const { Body } = await s3Client(url, alice).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }));
  return Body?.transformToString();
}

describe('a few bytes do not take many times their length', { timeout: 120_000 }, () => {
  it.each<[string, Attack]>([
    ['in 40,000 requests of 18 bytes on a connection whose answer is not read', tinyPipelines(200)],
    ['in bodies of one-byte chunks that wait behind an answer which is not read', waitingChunks(200)],
    ['in two chunks of one byte as the body of each request that waits', waitingTinyBodies(400)],
    ['in hundreds of trailers behind the body of each request that waits', waitingTrailers(400)],
    ['in 254 headers of each request that waits', waitingHeaders(400)],
    ['in 20,000 requests for metrics on a connection that reads nothing', metricsPipelines(120)],
    ['in 2,300 unfinished heads of headers of seven bytes', headsOfTinyHeaders(2_300)],
  ])('%s', async (_, attack) => {
    const attacked = await start();
    const swarm = await attack(attacked);
    scene.swarm = swarm;
    await expectToRun(attacked, 2);
    expect(await read(attacked)).toBe('hello');
    expect((await attacked.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
    swarm.close();
    for (const series of ['requests_in_flight{listener="s3"}', 'open_connections{listener="s3"}'])
      await expect
        .poll(() => attacked.metric(`sts_sidecar_${series}`), { timeout: 10_000 })
        .toBeLessThanOrEqual(1);
    expect(await attacked.metric('sts_sidecar_unauthenticated_requests')).toBe(0);
    expect(await attacked.metric('sts_sidecar_buffered_bytes')).toBe(0);
  });
});

it('nor do the answers of a store in chunks of one byte that no client reads', {
  timeout: 120_000,
}, async () => {
  const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${inBytes('a'.repeat(200_000))}`;
  const store = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const url = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const program = await startProgram({
    limits: chartLimits,
    store: { url, secretAccessKey: 'store-secret' },
  });
  scene.program = program;
  const swarm = await unreadDownloads(200)(program);
  scene.swarm = swarm;
  await expectToRun(program, 2);
  expect((await program.memory()).peakMiB).toBeLessThan(memoryLimitMiB);
  swarm.close();
  const series = 'sts_sidecar_requests_in_flight{listener="s3"}';
  await expect.poll(() => program.metric(series), { timeout: 10_000 }).toBe(0);
  store.close();
});
