import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { GetObjectCommand, HeadBucketCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Behaviour = (message: IncomingMessage, response: ServerResponse) => void;

/** A store that does what the test says, with a sidecar in front of it. */
async function inFrontOf(
  behaviour: Behaviour,
  directory: string = openDirectory,
  seconds = 30,
): Promise<{ sidecar: TestSidecar; store: Server }> {
  const store = createServer(behaviour).listen(0, '127.0.0.1');
  await once(store, 'listening');
  stops.push(() => {
    store.closeAllConnections();
    store.close();
  });
  const { port } = store.address() as AddressInfo;
  return { sidecar: await inFrontOfPort(port, directory, seconds), store };
}

async function inFrontOfPort(
  port: number,
  directory: string = openDirectory,
  seconds = 30,
): Promise<TestSidecar> {
  const sidecar = await startSidecar({
    directory,
    backend: {
      endpoint: `http://127.0.0.1:${port}`,
      accessKeyId: 'KEY',
      secretAccessKey: 'store-secret',
      timeouts: `  timeouts: { connectSeconds: ${seconds}, headersSeconds: ${seconds}, idleSeconds: ${seconds} }`,
    },
  });
  stops.push(() => sidecar.stop());
  return sidecar;
}

const object = { Bucket: 'data', Key: 'key' };
const get = (sidecar: TestSidecar) => s3Client(sidecar.url, alice).send(new GetObjectCommand(object));

async function rawGet(sidecar: TestSidecar, headers: Record<string, string> = {}): Promise<string> {
  return readAll(
    await openSigned(sidecar.url, {
      method: 'GET',
      path: '/data/key',
      headers: { connection: 'close', ...headers },
    }),
  );
}

describe('a store that fails', () => {
  it('and cannot be reached is ServiceUnavailable', async () => {
    const closed = createTcpServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    expect(await outcome(get(await inFrontOfPort(port)))).toBe('ServiceUnavailable 503');
  });

  it('and does not answer in time is GatewayTimeout', async () => {
    const { sidecar } = await inFrontOf(() => undefined, openDirectory, 1);
    expect(await outcome(get(sidecar))).toBe('GatewayTimeout 504');
  });

  it('and closes without an answer is ServiceUnavailable', async () => {
    const { sidecar } = await inFrontOf((message) => message.socket.destroy());
    expect(await outcome(get(sidecar))).toBe('ServiceUnavailable 503');
  });

  it('and does not speak HTTP is ServiceUnavailable', async () => {
    const server = createTcpServer((socket) => socket.end('nonsense\r\n\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    stops.push(() => void server.close());
    expect(await outcome(get(await inFrontOfPort((server.address() as AddressInfo).port)))).toBe(
      'ServiceUnavailable 503',
    );
  });

  it.each([500, 502, 503])('with status %i keeps its status', async (status) => {
    const { sidecar } = await inFrontOf((_, response) => response.writeHead(status).end('oops'));
    expect(await rawGet(sidecar)).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
  });

  it.each(['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'RequestTimeTooSkewed'])(
    'with %s for our own key is ServiceUnavailable, and the log says why',
    async (code) => {
      const { sidecar } = await inFrontOf((_, response) =>
        response
          .writeHead(403, { 'content-type': 'application/xml' })
          .end(`<Error><Code>${code}</Code><Message>x</Message></Error>`),
      );
      expect(await outcome(get(sidecar))).toBe('ServiceUnavailable 503');
      expect(sidecar.logged.join('')).toContain(`the store refused the sidecar's key: ${code}`);
    },
  );

  it.each(['SignatureDoesNotMatch', 'RequestTimeTooSkewed'])(
    'with %s is ServiceUnavailable for HEAD too, whose answer does not say why',
    async (code) => {
      const { sidecar } = await inFrontOf((_, response) =>
        response.writeHead(403).end(`<Error><Code>${code}</Code><Message>x</Message></Error>`),
      );
      const client = s3Client(sidecar.url, alice);
      expect(await outcome(client.send(new HeadObjectCommand(object)))).toMatch(/ 503$/);
      expect(await outcome(client.send(new HeadBucketCommand({ Bucket: 'data' })))).toMatch(/ 503$/);
      expect(sidecar.logged.join('')).toContain(`the store refused the sidecar's key: ${code}`);
    },
  );

  it('and refuses a HEAD without saying why is believed', async () => {
    const asked: string[] = [];
    const { sidecar } = await inFrontOf((message, response) => {
      asked.push(`${message.method} ${message.url} ${message.headers.range}`);
      if (asked.length === 1) response.writeHead(403).end();
      else if (asked.length === 2)
        response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>x</Message></Error>');
      else if (message.method === 'HEAD') response.writeHead(400).end();
      else message.socket.destroy();
    });
    const head = new HeadObjectCommand({ ...object, Range: 'bytes=5-9' });
    expect(await outcome(s3Client(sidecar.url, alice).send(head))).toMatch(/ 403$/);
    expect(await outcome(s3Client(sidecar.url, alice).send(head))).toMatch(/ 400$/);
    const first = 'GET /data/key bytes=0-0';
    expect(asked.slice(0, 2)).toEqual(['HEAD /data/key bytes=5-9', first]);
    expect(asked.slice(3).every((line) => line === first)).toBe(true);
  });

  it('in the middle of an answer cuts the connection instead of ending it in order', async () => {
    const { sidecar } = await inFrontOf((message, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('half');
      void setTimeout(50).then(() => message.socket.destroy());
    });
    await expect((await get(sidecar)).Body?.transformToString()).rejects.toThrow();
  });

  it('by closing a kept-alive connection is asked again', async () => {
    let requests = 0;
    const { sidecar } = await inFrontOf((message, response) => {
      requests += 1;
      if (requests === 2) message.socket.destroy();
      else response.end('content');
    });
    await (await get(sidecar)).Body?.transformToString();
    expect(await (await get(sidecar)).Body?.transformToString()).toBe('content');
    expect(requests).toBe(3);
  });

  it('is not asked twice for a conditional write', async () => {
    let requests = 0;
    const { sidecar } = await inFrontOf((message) => {
      requests += 1;
      message.socket.destroy();
    });
    const put = new PutObjectCommand({ ...object, Body: 'x', IfNoneMatch: '*' });
    expect(await outcome(s3Client(sidecar.url, alice).send(put))).toBe('ServiceUnavailable 503');
    expect(requests).toBe(1);
  });
});

describe('an answer of the store', () => {
  it('keeps its bytes when it is compressed', async () => {
    const zipped = gzipSync('compressed content');
    const { sidecar } = await inFrontOf((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped),
    );
    const answer = await get(sidecar);
    expect(answer.ContentEncoding).toBe('gzip');
    expect(Buffer.from(await (answer.Body?.transformToByteArray() ?? []))).toEqual(zipped);
  });

  it('that redirects is never followed', async () => {
    let requests = 0;
    const { sidecar } = await inFrontOf((_, response) => {
      requests += 1;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await rawGet(sidecar)).toMatch(/^HTTP\/1\.1 307/);
    expect(requests).toBe(1);
  });

  it('loses hop-by-hop headers, cookies and the store’s own ids', async () => {
    const { sidecar } = await inFrontOf((_, response) =>
      response
        .writeHead(200, {
          server: 'store',
          'set-cookie': 'a=b',
          'x-amz-request-id': 'STORE-ID',
          'x-hop': '1',
          connection: 'x-hop, keep-alive',
          'x-amz-meta-kept': 'v',
          'x-amz-tagging-count': '3',
        })
        .end('ok'),
    );
    const answer = (await rawGet(sidecar)).toLowerCase();
    expect(answer).not.toMatch(/set-cookie|store-id|x-hop|server: store/);
    expect(answer).toContain('x-amz-meta-kept: v');
    expect(answer.match(/x-amz-request-id: [0-9a-f]{16}\r/g)).toHaveLength(1);
    expect(answer).toContain('x-amz-tagging-count: 3');
  });

  it('shows tags, retention and legal hold only to callers who may read them', async () => {
    const guarded = {
      'x-amz-tagging-count': '3',
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': '2030-01-01T00:00:00Z',
      'x-amz-object-lock-legal-hold': 'ON',
    };
    const { sidecar } = await inFrontOf(
      (_, response) => response.writeHead(200, guarded).end('ok'),
      openDirectory.replace('"s3:*"', '["s3:GetObject", "s3:GetObjectLegalHold"]'),
    );
    const shown = (await rawGet(sidecar)).toLowerCase();
    expect(Object.keys(guarded).filter((name) => shown.includes(name))).toEqual([
      'x-amz-object-lock-legal-hold',
    ]);
  });

  it('without a body stays without one: HEAD, 304 and 412', async () => {
    const { sidecar } = await inFrontOf((message, response) => {
      if (message.method === 'HEAD') response.writeHead(200, { 'content-length': '12345' }).end();
      else response.writeHead(message.headers['if-none-match'] === undefined ? 412 : 304).end();
    });
    const head = await s3Client(sidecar.url, alice).send(new HeadObjectCommand(object));
    expect(head.ContentLength).toBe(12_345);
    expect(await rawGet(sidecar, { 'if-none-match': '"x"' })).toMatch(/^HTTP\/1\.1 304/);
    expect(await rawGet(sidecar, { 'if-match': '"x"' })).toMatch(/^HTTP\/1\.1 412/);
  });
});

describe('disconnects', () => {
  it('of a client that downloads close the store’s side at once', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const { sidecar } = await inFrontOf((message, response) => {
      closed = new Promise((resolve) => message.socket.once('close', resolve));
      response.writeHead(200, { 'content-length': '100000000' });
      response.write(Buffer.alloc(1_000_000));
    });
    const socket = await openSigned(sidecar.url, { method: 'GET', path: '/data/key', headers: {} });
    await once(socket, 'data');
    socket.destroy();
    // Long before the store would be given up for its silence.
    expect(await Promise.race([closed.then(() => 'closed'), setTimeout(15_000, 'open')])).toBe('closed');
  });

  it('of a client that uploads close the store’s side at once', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    let started = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      started = resolve;
    });
    const { sidecar } = await inFrontOf((message) => {
      closed = new Promise((resolve) => message.socket.once('close', resolve));
      message.resume();
      started();
    });
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/key',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '10000000' },
    });
    socket.write(Buffer.alloc(1_000_000));
    await reached;
    socket.destroy();
    // Long before the store would be given up for its silence.
    expect(await Promise.race([closed.then(() => 'closed'), setTimeout(15_000, 'open')])).toBe('closed');
  });

  it('do not happen to a slow client: the store is slowed down instead', async () => {
    let written = 0;
    const { sidecar } = await inFrontOf((_, response) => {
      const total = 100 * 1024 * 1024;
      response.writeHead(200, { 'content-length': String(total) });
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (written < total && response.write(chunk)) written += chunk.length;
        if (written < total) response.once('drain', more);
      };
      more();
    });
    const socket = await openSigned(sidecar.url, { method: 'GET', path: '/data/key', headers: {} });
    socket.pause();
    await setTimeout(500);
    expect(written).toBeLessThan(30 * 1024 * 1024);
    socket.destroy();
  });
});
