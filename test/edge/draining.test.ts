import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer } from '../../src/edge/shutdown.ts';
import { sidecarBefore, storeAnswer } from '../forward/raw-store.ts';
import { startRawServer } from '../http-client/raw-server.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { Swarm } from '../support/hostile/sockets.ts';
import { openDirectory } from '../support/open-directory.ts';
import { alice, startSidecar } from '../support/sidecar.ts';

it('a client that keeps sending requests is told to close during a drain, and loses no answer', {
  timeout: 20_000,
}, async () => {
  const { sidecar, store } = await sidecarBefore(({ socket }) => {
    setTimeout(() => socket.write(storeAnswer(200, 'x')), 20);
  });
  const get = await signedHead(sidecar.url, alice, { method: 'GET', path: '/data/k' });
  const client = connect({ host: '127.0.0.1', port: Number(new URL(sidecar.url).port) });
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.on('error', () => undefined);
  let text = '';
  let stopped: Promise<void> | undefined;
  // Another request is always on its way.
  client.write(get.repeat(2));
  client.setEncoding('latin1').on('data', (more: string) => {
    text += more;
    if (client.writable) client.write(get);
    if (text.split('HTTP/1.1 200').length > 5) stopped ??= sidecar.app.stop();
  });
  await closed;
  await stopped;
  expect(text.match(/^connection: close\r$/gim)).toHaveLength(1);
  const answered = text.split('HTTP/1.1 200').length - 1;
  const asked = store.accepted.flatMap(({ received }) => received().match(/^GET /gm) ?? []);
  expect(asked).toHaveLength(answered);
});

it('requests in progress have the drainSeconds of the configuration in force', {
  timeout: 20_000,
}, async () => {
  const store = await startRawServer(() => undefined);
  onTestFinished(() => store.close());
  const sidecar = await startSidecar({
    directory: openDirectory,
    server: '  drainSeconds: 3600',
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
  sidecar.reload({ server: '  drainSeconds: 2' });
  const get = await signedHead(sidecar.url, alice, { method: 'GET', path: '/data/k' });
  const client = connect({ host: '127.0.0.1', port: Number(new URL(sidecar.url).port) });
  client.on('error', () => undefined).write(get);
  const closed = new Promise((resolve) => client.once('close', resolve));
  await expect.poll(() => store.accepted.length).toBe(1);
  const startedAt = performance.now();
  await Promise.all([sidecar.app.stop(), closed]);
  expect(performance.now() - startedAt).toBeGreaterThan(1_900);
});

it('a connection that never closes does not hold up the end', { timeout: 20_000 }, async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = server.close.bind(server);
  server.close = () => server;
  await closeServer(server, 100);
  close();
});

// The deadline of the drain is 25 s by default, so a connection that holds it up fails the test.
describe('a drain is not held up for long', { timeout: 20_000 }, () => {
  const request = 'GET /data/k HTTP/1.1\r\nHost: a\r\n\r\n';

  it.each([
    ['one byte of a head', request, 'G'],
    ['an empty line after a request', request, '\r\n'],
    ['a whole request and one byte of a head in one write', '', `${request}G`],
    [
      'a refused upload whose body trickles',
      '',
      `PUT /data/k HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n`,
    ],
  ])('by %s', async (what, first, second) => {
    const sidecar = await startSidecar();
    const swarm = new Swarm(sidecar.url);
    const socket = swarm.open(first);
    if (first !== '') await expect.poll(() => swarm.answers[0]).toMatch(/^HTTP\/1\.1 403 /);
    socket.write(second);
    if (first === '') await expect.poll(() => swarm.answers[0]).toMatch(/^HTTP\/1\.1 403 /);
    // The byte arrives before this request, which comes on a connection of its own.
    expect((await fetch(`${sidecar.url}/data/k`)).status).toBe(403);
    const trickle = what.endsWith('trickles')
      ? setInterval(() => socket.writable && socket.write('a'), 500)
      : undefined;
    await sidecar.app.stop();
    clearInterval(trickle);
    swarm.close();
    await sidecar.stop();
  });
});
