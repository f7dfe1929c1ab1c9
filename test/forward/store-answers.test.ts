import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { summary } from '../support/wire.ts';
import { sidecarBefore, storeAnswer, storeError } from './raw-store.ts';

const object = { Bucket: 'data', Key: 'key' };

async function ask(
  sidecar: TestSidecar,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<string> {
  const path = '/data/key';
  return readAll(
    await openSigned(sidecar.url, { method, path, headers: { connection: 'close', ...headers } }),
  );
}

/** What the store answers to every request. */
async function answering(...pieces: string[]): Promise<TestSidecar> {
  const { sidecar } = await sidecarBefore(({ socket }) => {
    for (const piece of pieces) socket.write(piece, 'latin1');
  });
  return sidecar;
}

describe('a store that answers', () => {
  it('with 100 Continue before the answer is understood, for uploads of every size', async () => {
    const { sidecar } = await sidecarBefore(({ socket }) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      void setTimeout(20).then(() => socket.write(storeAnswer(200, '', 'etag: "e"\r\n')));
    });
    const client = s3Client(sidecar.url, alice);
    for (const length of [0, 10, 300_000]) {
      const put = new PutObjectCommand({ ...object, Body: Buffer.alloc(length) });
      expect((await client.send(put)).ETag).toBe('"e"');
    }
  });

  it('with early hints before the answer is understood', async () => {
    const sidecar = await answering(`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${storeAnswer(200, 'ok')}`);
    const answer = await ask(sidecar);
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*ok$/s);
    expect(answer).not.toContain('link');
  });

  it.each([
    ['x, chunked', 'transfer-encoding: x, chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\nok!'],
    ['a length beside chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'x-a: b\r\n c\r\ncontent-length: 2\r\n\r\nok'],
    ['a bare CR', 'x-a: b\rc\r\ncontent-length: 2\r\n\r\nok'],
  ])('in a form that could be read in two ways (%s) is ServiceUnavailable', async (_, rest) => {
    expect(summary(await ask(await answering(`HTTP/1.1 200 OK\r\n${rest}`)))).toBe('503 ServiceUnavailable');
  });

  it('with a malformed chunk in the middle cuts the answer', async () => {
    const sidecar = await answering('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n');
    const answer = await ask(sidecar);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.endsWith('\r\n0\r\n\r\n')).toBe(false);
  });

  describe('and gives a client of HTTP/1.0 a part of the answer never makes it look whole when', () => {
    /** How the connection ends for a client that sent `GET /data/key` and reads once `ready` is there. */
    async function endingOf(sidecar: TestSidecar, ready: () => Promise<void>): Promise<string> {
      const { host, hostname, port } = new URL(sidecar.url);
      const request = { method: 'GET', path: '/data/key', query: {}, headers: { host } };
      const { target, headers } = await signWithSmithy(request, alice, { nowMs: Date.now() });
      const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const socket = connect({ host: hostname, port: Number(port) });
      const ending = new Promise<string>((resolve) => {
        socket.once('error', () => resolve('reset'));
        // Node reports a reset as an end when it comes together with data; the peer's address tells them apart.
        socket.once('end', () => resolve(socket.remotePort === undefined ? 'reset' : 'in order'));
      });
      socket.pause().write(`GET ${target} HTTP/1.0\r\n${fields}\r\n`);
      await ready();
      socket.on('data', () => undefined).resume();
      return ending;
    }
    const begun = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n';

    it('the store stops', async () => {
      const { sidecar } = await sidecarBefore(({ socket }) => {
        socket.write(begun);
        void setTimeout(100).then(() => socket.destroy());
      });
      expect(await endingOf(sidecar, async () => undefined)).toBe('reset');
    });

    it('the client reads too slowly', async () => {
      const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const goOn = (socket: Socket): void => {
        while (socket.writable && socket.write(piece));
      };
      const { sidecar, store } = await sidecarBefore(
        ({ socket }) => {
          socket.write(begun);
          socket.on('drain', () => goOn(socket));
          goOn(socket);
        },
        'reframe',
        '{ idleTimeoutSeconds: 1 }',
      );
      const givenUp = (): Promise<void> =>
        vi.waitFor(() => expect(store.accepted[0]?.ending()).toBeDefined(), {
          timeout: 20_000,
          interval: 20,
        });
      expect(await endingOf(sidecar, givenUp)).toBe('reset');
    });
  });

  it('with a length where there is no body (HEAD, 204, 304) is understood', async () => {
    const { sidecar, store } = await sidecarBefore(({ socket, received }) => {
      const last = received().trimEnd().split('\r\n\r\n').at(-1) ?? '';
      if (last.startsWith('HEAD')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n');
      else if (last.startsWith('DELETE'))
        socket.write('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n');
      else socket.write('HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n');
    });
    const client = s3Client(sidecar.url, alice);
    for (let round = 0; round < 3; round += 1) {
      expect((await client.send(new HeadObjectCommand(object))).ContentLength).toBe(12_345);
      expect(await outcome(client.send(new DeleteObjectCommand(object)))).toBe('allowed');
      expect(await ask(sidecar, 'GET', { 'if-none-match': '"x"' })).toMatch(/^HTTP\/1\.1 304/);
    }
    expect(store.accepted).toHaveLength(1);
  });
});

describe('headers of the store', () => {
  it('that any Connection line names are not passed on', async () => {
    const sidecar = await answering(
      storeAnswer(
        200,
        'ok',
        'connection: x-one\r\nconnection: X-Two, keep-alive\r\nx-one: 1\r\nx-two: 2\r\nx-three: 3\r\n',
      ),
    );
    const answer = await ask(sidecar);
    expect(answer).toContain('x-three: 3');
    expect(answer).not.toMatch(/x-one|x-two/i);
  });

  it.each([
    ['http://store:9000/data/key?x', '/data/key?x'],
    ['HTTPS://store/', '/'],
    ['//store:9000/data/key', '/data/key'],
    ['//store', '/'],
    ['\\\\store\\data', '/data'],
    ['/\\store/data', '/data'],
    ['///store/data', '/data'],
    ['http:\\\\store/data', '/data'],
    ['ftp://store/data', '/data'],
    ['/data/other', '/data/other'],
    ['other', 'other'],
  ])('never name its address in Location (%s)', async (location, expected) => {
    const sidecar = await answering(
      storeAnswer(307, '', `location: ${location}\r\nrefresh: 0; url=//store/\r\n`),
    );
    const answer = await ask(sidecar);
    expect(/^location: (.*)\r$/im.exec(answer)?.[1]).toBe(expected);
    expect(answer).not.toMatch(/refresh/i);
  });
});

it('a response header that a caller chooses cannot begin another answer of the store', async () => {
  // Ceph RGW before 15.2 writes the value into its answer as it is.
  const { sidecar, store } = await sidecarBefore(({ socket, received }) => {
    const sent = /response-content-type=(\S*)/.exec(received())?.[1] ?? '';
    socket.write(storeAnswer(200, 'object', `content-type: ${decodeURIComponent(sent)}\r\n`));
  });
  for (const line of ['\r\n', '\r', '\n']) {
    const value = encodeURIComponent(`text/plain${line}content-length: 0${line}${line}HTTP/1.1 200 OK`);
    const path = `/data/key?response-content-type=${value}`;
    const headers = { connection: 'close' };
    const answer = await readAll(await openSigned(sidecar.url, { method: 'GET', path, headers }));
    expect(summary(answer)).toBe('400 InvalidArgument');
  }
  expect(store.accepted).toEqual([]);
});

it('a list of objects in place of a configuration is refused, whatever form the caller asks for', async () => {
  // As Ceph RGW 16 does for selectors that it does not know.
  const { sidecar } = await sidecarBefore(({ socket, received }) => {
    const isJson = /\r\naccept: application\/json/i.test(received());
    socket.write(storeAnswer(200, isJson ? '{"Contents":["plan"]}' : '<ListBucketResult><Key>plan</Key>'));
  });
  for (const accept of ['*/*', 'application/json', 'application/json;q=1', 'text/html']) {
    const headers = { accept, connection: 'close' };
    const socket = await openSigned(sidecar.url, { method: 'GET', path: '/data?encryption', headers });
    const answer = await readAll(socket);
    expect(summary(answer)).toBe('501 NotImplemented');
    expect(answer).not.toContain('plan');
  }
});

describe('the body of a redirect', () => {
  it('is rewritten without the address of the store', async () => {
    const document = storeError('TemporaryRedirect').replace(
      '<Message>',
      '<Endpoint>store:9000</Endpoint><Message>',
    );
    const answer = await ask(
      await answering(storeAnswer(307, document, 'location: http://store:9000/data\r\n')),
    );
    expect(summary(answer)).toBe('307 TemporaryRedirect');
    expect(answer).not.toContain('store:9000');
  });

  it('that is a page is replaced', async () => {
    const answer = await ask(await answering(storeAnswer(302, '<a href="http://store:9000/">Found</a>')));
    expect(answer).toMatch(/^HTTP\/1\.1 302 /);
    expect(answer).not.toContain('store:9000');
  });
});

it('metadata with tabs is sent to the store as it was signed, with one space', async () => {
  const { sidecar, store } = await sidecarBefore(({ socket }) => socket.write(storeAnswer(200)));
  const headers = {
    'x-amz-meta-a': 'one \t two\tthree',
    'content-length': '0',
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
  };
  expect(summary(await ask(sidecar, 'PUT', headers))).toBe('200');
  expect(store.accepted[0]?.received()).toMatch(/\r\nx-amz-meta-a: one two three\r\n/);
});

it.each([
  ['CopyObject', 'PUT', '/data/key', { 'x-amz-copy-source': '/data/other' }],
  ['CreateMultipartUpload', 'POST', '/data/key?uploads', {}],
])('%s, which has no body, says so with a length', async (_, method, path, headers) => {
  const answer = storeAnswer(200, '<CopyObjectResult/>');
  // Before a copy the store is asked for its source.
  const { sidecar, store } = await sidecarBefore(({ socket, received }) =>
    socket.write(/content-length: 0\r\n/.test(received()) ? answer : storeAnswer(200)),
  );
  const socket = await openSigned(sidecar.url, {
    method,
    path,
    headers: { connection: 'close', ...headers },
  });
  expect(summary(await readAll(socket))).toBe('200');
  expect(store.accepted[0]?.received()).toMatch(/\r\ncontent-length: 0\r\n/);
});

describe('a request on a connection that the store closes', () => {
  const calls: [string, (sidecar: TestSidecar) => Promise<unknown>, number, string][] = [
    ['GetObject', (sidecar) => s3Client(sidecar.url, alice).send(new GetObjectCommand(object)), 2, 'allowed'],
    [
      'HeadObject',
      (sidecar) => s3Client(sidecar.url, alice).send(new HeadObjectCommand(object)),
      2,
      'allowed',
    ],
    [
      'DeleteObject',
      (sidecar) => s3Client(sidecar.url, alice).send(new DeleteObjectCommand(object)),
      1,
      'ServiceUnavailable 503',
    ],
    [
      'DeleteBucket',
      (sidecar) => s3Client(sidecar.url, alice).send(new DeleteBucketCommand({ Bucket: 'data' })),
      1,
      'ServiceUnavailable 503',
    ],
    [
      'PutObject',
      (sidecar) => s3Client(sidecar.url, alice).send(new PutObjectCommand({ ...object, Body: 'x' })),
      1,
      'ServiceUnavailable 503',
    ],
    [
      'CopyObject',
      (sidecar) =>
        s3Client(sidecar.url, alice).send(new CopyObjectCommand({ ...object, CopySource: '/data/other' })),
      // The lookup of its source, and the copy.
      2,
      'ServiceUnavailable 503',
    ],
    [
      'DeleteObjects',
      (sidecar) =>
        s3Client(sidecar.url, alice).send(
          new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'a' }] } }),
        ),
      1,
      'ServiceUnavailable 503',
    ],
  ];

  it.each(calls)('%s: retried only if it reads', async (name, call, requests, expected) => {
    const closing = name === 'CopyObject' ? 3 : 2;
    for (const close of ['end', 'resetAndDestroy'] as const) {
      let seen = 0;
      const { sidecar } = await sidecarBefore(({ socket }, request) => {
        // The first one opens the connection; the store carries the last one out, and closes.
        if (request > 1) seen += 1;
        if (request === closing) socket[close]();
        else socket.write(storeAnswer(200, '', 'etag: "e"\r\n'));
      });
      await s3Client(sidecar.url, alice).send(new HeadObjectCommand(object));
      expect(await outcome(call(sidecar))).toBe(expected);
      expect(seen).toBe(requests);
    }
  });

  it('GetObject is not retried on a connection that was not used before', async () => {
    let seen = 0;
    const { sidecar } = await sidecarBefore(({ socket }) => {
      seen += 1;
      socket.end();
    });
    expect(summary(await ask(sidecar))).toBe('503 ServiceUnavailable');
    expect(seen).toBe(1);
  });

  it('CopyObject is not retried after the head of the answer', async () => {
    let seen = 0;
    const { sidecar } = await sidecarBefore(({ socket }, request) => {
      seen += 1;
      // The second one asks for the source.
      if (request <= 2) socket.write(storeAnswer(200));
      else socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n \r\n');
    });
    const client = s3Client(sidecar.url, alice);
    await client.send(new HeadObjectCommand(object));
    const copy = new CopyObjectCommand({ ...object, CopySource: '/data/other' });
    expect(await outcome(client.send(copy))).toBe('ServiceUnavailable 503');
    expect(seen).toBe(3);
  });

  it('uses another connection when the store has closed the idle one', async () => {
    const { sidecar, store } = await sidecarBefore(({ socket }) => socket.write(storeAnswer(204)));
    const client = s3Client(sidecar.url, alice);
    await client.send(new DeleteObjectCommand(object));
    store.accepted[0]?.socket.end();
    await vi.waitFor(() => expect(store.accepted[0]?.ending()).toBeDefined(), 20_000);
    expect(await outcome(client.send(new DeleteObjectCommand(object)))).toBe('allowed');
  });
});

it('an answer of one-byte chunks costs one buffer, and arrives', async () => {
  const body = `<Error><Code>NoSuchBucket</Code><Message>${'m'.repeat(20_000)}</Message></Error>`;
  const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join('');
  const sidecar = await answering(`HTTP/1.1 404 X\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
  expect(summary(await ask(sidecar))).toBe('404 NoSuchBucket');
});
