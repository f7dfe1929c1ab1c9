import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { build, type Program, startProgram } from '../support/program.ts';
import { alice } from '../support/sidecar.ts';
import { type ChaosStore, startChaosStore } from './chaos-store.ts';

const exchanges = 10_000;
const atOnce = 40;
/** An exchange that lasts longer has hung. */
const hungMs = 20_000;

/** Numbers below `below` that look random and are the same in every run (xorshift32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const choose = seeded(20_261_128);
let store: ChaosStore;
let program: Program;

beforeAll(build, 120_000);
beforeAll(async () => {
  store = await startChaosStore(choose);
  program = await startProgram({ store: { url: store.url, secretAccessKey: 'secret-of-the-store' } });
});
afterAll(async () => {
  await program.stop();
  store.close();
});

interface Prepared {
  readonly head: string;
  readonly body: string;
}

async function prepare(): Promise<readonly Prepared[]> {
  const { url } = program;
  const of = async (method: string, path: string, body = '', query = {}): Promise<Prepared> => {
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
    return { head: await signedHead(url, alice, { method, path, query }, length), body };
  };
  const batch = '<Delete><Object><Key>a</Key></Object></Delete>';
  return [
    await of('GET', '/data/k'),
    await of('HEAD', '/data/k'),
    await of('PUT', '/data/k', 'hello'),
    await of('PUT', '/data/k', 'x'.repeat(200_000)),
    await of('DELETE', '/data/k'),
    await of('POST', '/data', batch, { delete: '' }),
    await of('POST', '/data/k', '<CompleteMultipartUpload/>', { uploadId: 'u' }),
    { head: 'GET /data/k HTTP/1.1\r\nHost: localhost\r\n\r\n', body: '' },
  ];
}

/** What a client does with a request; only the first is right. */
const clients: readonly ((socket: Socket, request: Prepared) => void | Promise<void>)[] = [
  (socket, { head, body }) => void socket.write(head + body, 'latin1'),
  (socket, { head, body }) => void socket.end(head + body, 'latin1'),
  (socket, { head }) => void socket.end(head.slice(0, 40), 'latin1'),
  async (socket, { head }) => {
    socket.write(head, 'latin1');
    await setTimeout(choose(20));
    socket.resetAndDestroy();
  },
  async (socket, { head, body }) => {
    socket.write(head + body.slice(0, body.length / 2), 'latin1');
    await setTimeout(choose(50));
    socket.end();
  },
  async (socket, { head, body }) => {
    socket.write(head + body.slice(0, body.length / 2), 'latin1');
    await setTimeout(choose(50));
    socket.resetAndDestroy();
  },
  async (socket, { head, body }) => {
    socket.pause();
    socket.write(head + body, 'latin1');
    await setTimeout(choose(100));
    socket.resume();
  },
  (socket, { head, body }) => void socket.write(`${head}${body}garbage\r\n\r\n`, 'latin1'),
  (socket, { head, body }) => void socket.write((head + body).repeat(3), 'latin1'),
  async (socket, { head, body }) => {
    const pipelined = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(55 + choose(10));
    const last =
      choose(2) === 0
        ? 'CONNECT a:1 HTTP/1.1\r\n'
        : 'GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n';
    socket.write(`${head}${body}${pipelined}${last}Host: a\r\n\r\n`, 'latin1');
    await setTimeout(choose(50));
    socket.resetAndDestroy();
  },
  async (socket, { head, body }) => {
    for (const piece of [head.slice(0, 10), head.slice(10), body]) {
      socket.write(piece, 'latin1');
      await setTimeout(choose(10));
    }
  },
];

/** One exchange; resolves when the connection is closed. */
async function exchange(request: Prepared): Promise<'closed' | 'hung'> {
  const { hostname, port } = new URL(program.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const closed = new Promise<'closed'>((resolve) => socket.once('close', () => resolve('closed')));
  socket.on('error', () => undefined);
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
    // An answer has come; whether there is more to it does not matter.
    void setTimeout(50).then(() => socket.destroy());
  });
  await clients[choose(clients.length)]?.(socket, request);
  const deadline = new AbortController();
  const hung = setTimeout(hungMs, 'hung' as const, { signal: deadline.signal }).catch(
    () => 'closed' as const,
  );
  const outcome = await Promise.race([closed, hung]);
  deadline.abort();
  socket.destroy();
  return received > 0 ? 'closed' : outcome;
}

it('ten thousand exchanges in which client or store misbehaves end neither the process nor a place', async () => {
  const requests = await prepare();
  const before = await program.descriptors();
  let begun = 0;
  let hung = 0;
  const work = async (): Promise<void> => {
    while (begun < exchanges) {
      begun += 1;
      const request = requests[choose(requests.length)];
      if (request !== undefined && (await exchange(request)) === 'hung') hung += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));

  expect(program.isRunning(), program.output().slice(-2000)).toBe(true);
  expect(program.output()).not.toContain('answering failed');
  expect(hung).toBe(0);
  expect(store.requests()).toBeGreaterThan(exchanges / 4);
  store.behave();
  await expect
    .poll(() => program.metric('sts_sidecar_requests_in_flight{listener="s3"}'), { timeout: 60_000 })
    .toBe(0);
  await expect.poll(() => program.descriptors(), { timeout: 60_000 }).toBeLessThanOrEqual(before + 10);
  const { url } = program;
  const head = await signedHead(url, alice, { method: 'GET', path: '/data/k' });
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .filter((line) => line.includes(': '))
      .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const answer = await fetch(`${url}/data/k`, { headers });
  expect([answer.status, await answer.text()]).toEqual([200, 'hello']);
});
