import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { underAttack } from '../support/hostile/under-attack.ts';
import { serveCallers, startWithObject } from '../support/hostile/victims.ts';
import { s3Client } from '../support/sdk.ts';
import { alice } from '../support/sidecar.ts';

const scene = underAttack();

const get = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const upgrade = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
const tunnel = 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n';

// How many requests fit before one is dropped depends on Node. The head after the first that is dropped counts.
const counts = [60, 61, 62];

// Node 20 treats such a head as the end of HTTP on the connection, though the parser has stopped, and removes its listeners:
// a reset is then an unhandled error that ends the process, and nothing notices that the client is gone.
describe.each([
  ['Upgrade', upgrade],
  ['CONNECT', tunnel],
])('a head with %s after the first request that is dropped', { timeout: 60_000 }, (_, head) => {
  it('and a reset do not end the process', async () => {
    const attacked = await startWithObject();
    scene.program = attacked;
    const swarm = new Swarm(attacked.url);
    scene.swarm = swarm;
    for (let round = 0; round < 200 && attacked.isRunning(); round += 1) {
      for (const count of counts) {
        const socket = swarm.open(get.repeat(count) + head);
        await once(socket, 'connect');
        await new Promise((resolve) => socket.write('', resolve));
        socket.resetAndDestroy();
      }
      await setTimeout(1);
    }
    await setTimeout(200);
    expect(attacked.isRunning(), attacked.output().slice(-2000)).toBe(true);
    await serveCallers(attacked, 1);
  });

  it('does not keep the place of the request before it when the client has gone', async () => {
    const attacked = await startWithObject();
    scene.program = attacked;
    const store = s3Client(attacked.storeUrl, attacked.storeCredentials);
    await store.send(
      new PutObjectCommand({ Bucket: 'data', Key: 'large', Body: Buffer.alloc(16 * 1024 * 1024) }),
    );
    const first = await signedHead(attacked.url, alice, { method: 'GET', path: '/data/large' });
    const swarm = new Swarm(attacked.url);
    scene.swarm = swarm;
    for (const count of counts) swarm.open(first + get.repeat(count) + head, false);
    const series = 'sts_sidecar_requests_in_flight{listener="s3"}';
    await expect.poll(() => attacked.metric(series), { timeout: 10_000 }).toBeGreaterThan(0);
    swarm.close();
    await expect.poll(() => attacked.metric(series), { timeout: 10_000 }).toBe(0);
  });
});
