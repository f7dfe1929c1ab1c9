import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { startChecksum } from '../../src/sigv4/checksum.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';
import { sidecarBefore, storeAnswer, storeError } from './raw-store.ts';

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });
const size = 300_000;
const data = randomBytes(size);

function crc32(body: Buffer): string {
  const checksum = startChecksum('crc32');
  checksum.update(body);
  return checksum.digest().toString('base64');
}

function chunked(body: Buffer, checksum = crc32(body)): Buffer {
  const head = Buffer.from(`${body.length.toString(16)}\r\n`);
  return Buffer.concat([head, body, Buffer.from(`\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`)]);
}

interface Upload {
  readonly headers: Record<string, string>;
  readonly wire: Buffer;
}

const unsigned: Upload = { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, wire: data };
const digested: Upload = {
  headers: { 'x-amz-content-sha256': createHash('sha256').update(data).digest('hex') },
  wire: data,
};
const trailed: Upload = {
  headers: {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': String(size),
    'x-amz-trailer': 'x-amz-checksum-crc32',
  },
  wire: chunked(data),
};
const modes: [string, Upload, 'reframe' | 'decode'][] = [
  ['unsigned', unsigned, 'reframe'],
  ['digest', digested, 'reframe'],
  ['trailer, reframed', trailed, 'reframe'],
  ['trailer, decoded', trailed, 'decode'],
];

const put = (url: string, { headers, wire }: Upload, further: Record<string, string> = {}) =>
  openSigned(url, {
    method: 'PUT',
    path: '/data/key',
    headers: { 'content-length': String(wire.length), ...headers, ...further },
  });

describe.each(modes)('an upload (%s)', (_, upload, trailers) => {
  it.each([0, 50, 99])('whose client goes away after %i percent is reset at the store', async (percent) => {
    const { sidecar, store } = await sidecarBefore(() => undefined, trailers);
    const socket = await put(sidecar.url, upload);
    socket.on('error', () => undefined);
    const sent = Math.floor((upload.wire.length * percent) / 100);
    socket.write(upload.wire.subarray(0, sent));
    await eventually(() => expect(store.accepted[0]?.received()).toMatch(/\r\n\r\n/));
    if (percent > 0)
      await eventually(() => expect(store.accepted[0]?.received().length).toBeGreaterThan(sent / 2));
    socket.destroy();
    await eventually(() => expect(store.accepted[0]?.ending()).toBe('reset'));
  });

  it('that is cut short by an orderly close is reset at the store', async () => {
    const { sidecar, store } = await sidecarBefore(() => undefined, trailers);
    const socket = await put(sidecar.url, upload);
    socket.on('error', () => undefined);
    socket.end(upload.wire.subarray(0, -10));
    await eventually(() => expect(store.accepted[0]?.ending()).toBe('reset'));
  });
});

const other = Buffer.from(data);
other[size - 1] = (other[size - 1] ?? 0) ^ 1;

describe.each<[string, Upload, Record<string, string>, string, 'reframe' | 'decode']>([
  ['digest', { ...digested, wire: other }, {}, '400 XAmzContentSHA256Mismatch', 'reframe'],
  ['trailer, reframed', { ...trailed, wire: chunked(other, crc32(data)) }, {}, '400 BadDigest', 'reframe'],
  ['trailer, decoded', { ...trailed, wire: chunked(other, crc32(data)) }, {}, '400 BadDigest', 'decode'],
  [
    'length in the trailer mode',
    { ...trailed, wire: chunked(data.subarray(1)) },
    {},
    '400 IncompleteBody',
    'decode',
  ],
  ['checksum in a header', unsigned, { 'x-amz-checksum-crc32': crc32(other) }, '400 BadDigest', 'reframe'],
  [
    'Content-MD5',
    unsigned,
    { 'content-md5': createHash('md5').update(other).digest('base64') },
    '400 BadDigest',
    'reframe',
  ],
])('an upload with a wrong %s', (_, upload, headers, expected, trailers) => {
  it('is answered with its own error, and reset at the store', async () => {
    const { sidecar, store } = await sidecarBefore(() => undefined, trailers);
    const socket = await put(sidecar.url, upload, headers);
    socket.write(upload.wire);
    expect(summary(await readAll(socket))).toBe(expected);
    await eventually(() => expect(store.accepted[0]?.ending()).toBe('reset'));
  });

  it('fails although the store has reported success', async () => {
    const { sidecar, store } = await sidecarBefore(
      ({ socket }) => socket.write(storeAnswer(200, '', 'etag: "early"\r\n')),
      trailers,
    );
    const socket = await put(sidecar.url, upload, headers);
    const answered = readAll(socket);
    // The store reports success before the last bytes arrive.
    socket.write(upload.wire.subarray(0, -200));
    await eventually(() => expect(store.accepted[0]?.received().length).toBeGreaterThan(size / 2));
    await setTimeout(200);
    socket.write(upload.wire.subarray(-200));
    const answer = await answered;
    expect(summary(answer)).toBe(expected);
    expect(answer).not.toContain('early');
    await eventually(() => expect(store.accepted[0]?.ending()).toBe('reset'));
  });
});

describe('an early success', () => {
  it('is relayed once the body has been verified', async () => {
    const { sidecar, store } = await sidecarBefore(({ socket }) =>
      socket.write(storeAnswer(200, '', 'etag: "early"\r\n')),
    );
    const socket = await put(sidecar.url, unsigned, { connection: 'close' });
    let answer = '';
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
    });
    socket.write(data.subarray(0, -1));
    await eventually(() => expect(store.accepted[0]?.received().length).toBeGreaterThan(size / 2));
    await setTimeout(200);
    expect(answer).toBe('');
    socket.write(data.subarray(-1));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*etag: "early"/s);
    expect(store.accepted[0]?.received().endsWith(data.toString('latin1'))).toBe(true);
  });

  it('and a second answer after it are never taken for the answer to another request', async () => {
    const body = Buffer.alloc(70_000, 'x');
    const { sidecar, store } = await sidecarBefore(({ socket, received }) => {
      if (received().startsWith('PUT') && received().includes('GET ')) socket.write(storeAnswer(200, 'late'));
      else socket.write(storeAnswer(200, received().startsWith('PUT') ? '' : 'of the read'));
    });
    const headers = { 'content-length': String(body.length), connection: 'close' };
    const socket = await put(sidecar.url, { ...unsigned, wire: body }, headers);
    const answer = readAll(socket);
    socket.write(body.subarray(0, -1));
    await eventually(() => expect(store.accepted[0]?.socket.bytesWritten).toBeGreaterThan(0));
    await setTimeout(200);
    socket.write(body.subarray(-1));
    expect(summary(await answer)).toBe('200');
    const read = await openSigned(sidecar.url, {
      method: 'GET',
      path: '/data/key',
      headers: { connection: 'close' },
    });
    expect((await readAll(read)).endsWith('\r\n\r\nof the read')).toBe(true);
  });

  it.each([
    ['with its answer', storeAnswer(200, '', 'connection: close\r\n')],
    ['in the middle of it', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'],
  ])('is not relayed when the store ends its connection %s before it has the body', async (_, answer) => {
    const { sidecar, store } = await sidecarBefore(({ socket }) => socket.end(answer));
    const socket = await put(sidecar.url, unsigned, { connection: 'close' });
    const answered = readAll(socket);
    socket.write(data.subarray(0, -1));
    await eventually(() => {
      const { writableFinished, destroyed } = store.accepted[0]?.socket ?? {};
      const received = store.accepted[0]?.received().length;
      // On a busy machine the sidecar may reset the connection before the store's socket has noticed that all is written.
      expect({ received, isOver: writableFinished === true || destroyed === true }).toMatchObject({
        isOver: true,
      });
    });
    await setTimeout(200);
    socket.write(data.subarray(-1));
    expect(summary(await answered)).toBe('503 ServiceUnavailable');
  });

  it('is a failure when the store then hangs up', async () => {
    const { sidecar } = await sidecarBefore(({ socket }) => {
      socket.pause();
      socket.write(storeAnswer(200), () => socket.resetAndDestroy());
    });
    const large = { ...unsigned, wire: Buffer.alloc(5_000_000) };
    const socket = await put(sidecar.url, large);
    for (let index = 0; index < large.wire.length; index += 500_000) {
      socket.write(large.wire.subarray(index, index + 500_000));
      await setTimeout(10);
    }
    expect(summary(await readAll(socket))).toBe('503 ServiceUnavailable');
  });
});

describe('an early refusal', () => {
  const refusal = storeAnswer(412, storeError('PreconditionFailed'), 'connection: close\r\n');

  it.each([1_000_000, 2_300_000, 20_000_000])(
    'of %i bytes reaches the client, 30 times out of 30, though the store resets',
    async (length) => {
      const { sidecar } = await sidecarBefore(({ socket }) => {
        socket.pause();
        socket.write(refusal, () => socket.destroy());
      });
      const body = Buffer.alloc(length);
      const answers = new Map<string, number>();
      for (let round = 0; round < 30; round += 1) {
        const socket = await put(sidecar.url, { ...unsigned, wire: body }, { connection: 'close' });
        const answer = readAll(socket);
        socket.write(body);
        const seen = summary(await answer);
        answers.set(seen, (answers.get(seen) ?? 0) + 1);
      }
      expect([...answers]).toEqual([['412 PreconditionFailed', 30]]);
    },
  );
});

describe('a refusal by the sidecar itself', () => {
  it.each([2_300_000, 20_000_000])(
    'reaches a client that writes all of its %i bytes first, 20 times out of 20',
    async (length) => {
      const { sidecar } = await sidecarBefore(() => undefined);
      const body = Buffer.alloc(length);
      const answers = new Map<string, number>();
      for (let round = 0; round < 20; round += 1) {
        const socket = await openSigned(sidecar.url, {
          method: 'PUT',
          path: '/data/key?acl=x',
          headers: { 'content-length': String(length), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        });
        socket.on('error', () => undefined);
        socket.pause();
        await new Promise((resolve) => socket.write(body, resolve));
        const answer = readAll(socket);
        socket.resume();
        const seen = /^HTTP\/1\.1 \d+/.exec(await answer)?.[0] ?? 'lost';
        answers.set(seen, (answers.get(seen) ?? 0) + 1);
      }
      expect([...answers]).toEqual([['HTTP/1.1 400', 20]]);
    },
  );
});
