import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';

/** The requests that the store received, in order; PUTs are slow. */
const seen: string[] = [];
const store = createServer((message, response) => {
  const { method = '', url = '' } = message;
  seen.push(`${method} ${url}`);
  message.resume();
  message.on('end', () => {
    const delayMs = method === 'PUT' ? 150 : 0;
    void setTimeout(delayMs).then(() => {
      seen.push(`${method} ${url} done`);
      response.writeHead(method === 'DELETE' ? 204 : 200, { etag: '"e"' }).end();
    });
  });
});

let sidecar: TestSidecar;

beforeAll(async () => {
  sidecar = await startSidecar({ directory: openDirectory, backend: await listenAsStore(store) });
});
afterAll(async () => {
  await sidecar.stop();
  store.close();
});
beforeEach(() => {
  seen.length = 0;
});

const head = (method: string, path: string, unsigned = ''): Promise<string> =>
  signedHead(sidecar.url, alice, { method, path }, unsigned);

/** Writes bytes to one connection and returns what comes back until it is closed, or falls silent. */
async function send(bytes: string): Promise<string> {
  const { hostname, port } = new URL(sidecar.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const answer = readAll(socket);
  socket.write(bytes, 'latin1');
  socket.setTimeout(20_000, () => socket.destroy());
  return answer;
}

const statuses = (answer: string): string[] =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status ?? '');

describe('pipelined requests of one connection', () => {
  it('reach the store one after the other, in the order in which they came', async () => {
    const put = `${await head('PUT', '/data/k', 'Content-Length: 5\r\n')}hello`;
    const remove = await head('DELETE', '/data/k');
    for (let round = 0; round < 5; round += 1) {
      seen.length = 0;
      expect(
        statuses(await send(put + remove + (await head('GET', '/data/k', 'Connection: close\r\n')))),
      ).toEqual(['200', '204', '200']);
      expect(seen).toEqual([
        'PUT /data/k',
        'PUT /data/k done',
        'DELETE /data/k',
        'DELETE /data/k done',
        'GET /data/k',
        'GET /data/k done',
      ]);
    }
  });

  it('are all answered, however many bytes they come in', async () => {
    const gets = await Promise.all(Array.from({ length: 20 }, (_, index) => head('GET', `/data/${index}`)));
    const { hostname, port } = new URL(sidecar.url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const answer = readAll(socket);
    for (const piece of gets.join('').match(/[\s\S]{1,600}/g) ?? []) {
      socket.write(piece, 'latin1');
      await setTimeout(1);
    }
    await expect.poll(() => seen.filter((line) => line.endsWith('done')).length).toBe(20);
    socket.end();
    expect(statuses(await answer)).toHaveLength(20);
    expect(seen.filter((line) => line.endsWith('done'))).toEqual(
      gets.map((_, index) => `GET /data/${index} done`),
    );
  });

  it('are dropped beyond the 128 KiB that may wait, and the connection ends', async () => {
    const get = await head('GET', '/data/k');
    const answered = statuses(await send(get.repeat(120)));
    expect(answered.length).toBeGreaterThanOrEqual(30);
    expect(answered.length).toBeLessThan(100);
    expect(new Set(answered)).toEqual(new Set(['200']));
    expect(seen.filter((line) => line === 'GET /data/k')).toHaveLength(answered.length);
  });

  it('are not executed after one that asks to close the connection', async () => {
    const get = await head('GET', '/data/k', 'Connection: close\r\n');
    expect(statuses(await send(get + (await head('DELETE', '/data/k'))))).toEqual(['200']);
    expect(seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });

  it('are not executed after one whose answer closes the connection', async () => {
    const headers = { 'x-amz-decoded-content-length': '3' };
    const put = await signedHead(
      sidecar.url,
      alice,
      { method: 'PUT', path: '/data/k', headers },
      'Content-Length: 3\r\n',
    );
    const answer = await send(`${put}abc${await head('DELETE', '/data/k')}`);
    expect(statuses(answer)).toEqual(['400']);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });

  it('are answered as far as they can be read', async () => {
    const answer = await send(
      `${await head('GET', '/data/k')}${await head('GET', '/data/l')}garbage\r\n\r\n`,
    );
    expect(statuses(answer)).toEqual(['200', '200']);
  });

  it('are no longer read after one that offers an upgrade', async () => {
    const remove = await head('DELETE', '/data/smuggled');
    const offer = await head('GET', '/data/k', 'Connection: Upgrade\r\nUpgrade: h2c\r\n');
    const put = await head('PUT', '/data/notes', `Content-Length: ${remove.length}\r\n`);
    const { hostname, port } = new URL(sidecar.url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const answer = readAll(socket);
    socket.write(offer + put, 'latin1');
    await setTimeout(200);
    // The body of the PUT, which Node's parser would take for a request.
    socket.write(remove, 'latin1');
    expect(statuses(await answer)).toEqual(['200']);
    expect(seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });

  it('are forgotten when the client resets the connection', async () => {
    const put = `${await head('PUT', '/data/k', 'Content-Length: 5\r\n')}hello`;
    const { hostname, port } = new URL(sidecar.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    socket.write(put + (await head('DELETE', '/data/k')), 'latin1');
    await expect.poll(() => seen).toContain('PUT /data/k');
    socket.resetAndDestroy();
    await setTimeout(400);
    expect(seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });
});
