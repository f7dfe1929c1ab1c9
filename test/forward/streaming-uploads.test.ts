import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChecksum } from '../../src/sigv4/checksum.ts';
import { ChunkDecoder } from '../../src/sigv4/chunk-decoder.ts';
import { type CapturedUpload, type CapturingStore, startCapturingStore } from '../support/capturing-store.ts';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';

function crc32Of(data: Buffer): string {
  const checksum = startChecksum('crc32');
  checksum.update(data);
  return checksum.digest().toString('base64');
}

/** An aws-chunked body as SDKs write it, with any part of it wrong. */
function chunked(
  data: Buffer,
  { chunk = 65_536, checksum = crc32Of(data), name = 'x-amz-checksum-crc32', end = '\r\n' } = {},
): Buffer {
  const wire: Buffer[] = [];
  for (let index = 0; index < data.length; index += chunk) {
    const piece = data.subarray(index, index + chunk);
    wire.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...wire, Buffer.from(`0\r\n${name}:${checksum}\r\n${end}`)]);
}

const streamingHeaders = (decodedLength: number): Record<string, string> => ({
  'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'x-amz-decoded-content-length': String(decodedLength),
  'x-amz-trailer': 'x-amz-checksum-crc32',
  'x-amz-sdk-checksum-algorithm': 'CRC32',
  'content-encoding': 'aws-chunked',
});

/** What a re-framed upload holds. */
function unframed({ body, headers }: CapturedUpload): {
  data: Buffer;
  trailers: ReadonlyMap<string, string>;
} {
  const decoder = new ChunkDecoder(Number(headers['x-amz-decoded-content-length']));
  return { data: Buffer.concat(decoder.push(body)), trailers: decoder.end() };
}

describe.each(['reframe', 'decode'] as const)('a streaming upload (%s)', (trailers) => {
  let store: CapturingStore;
  let sidecar: TestSidecar;

  beforeAll(async () => {
    store = await startCapturingStore();
    sidecar = await startSidecar({
      directory: openDirectory,
      trailers,
      backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    store.close();
  });

  async function put(wire: Buffer, headers: Record<string, string>): Promise<string> {
    store.uploads.length = 0;
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/key',
      headers: { connection: 'close', 'content-length': String(wire.length), ...headers },
    });
    socket.write(wire);
    const answer = summary(await readAll(socket));
    await setTimeout(20);
    return answer;
  }

  it.each([0, 1, 65_535, 65_536, 65_537, 1_000_000])('of %i bytes arrives whole', async (size) => {
    const data = randomBytes(size);
    expect(await put(chunked(data), streamingHeaders(size))).toBe('200');
    const [upload] = store.uploads;
    if (upload === undefined) throw new Error('nothing arrived');
    expect(upload.isComplete).toBe(true);
    expect(Number(upload.headers['content-length'])).toBe(upload.body.length);
    if (trailers === 'decode') {
      expect(upload.body.equals(data)).toBe(true);
      expect(upload.headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
      expect(Object.keys(upload.headers)).not.toContain('content-encoding');
      expect(Object.keys(upload.headers)).not.toContain('x-amz-trailer');
      expect(Object.keys(upload.headers)).not.toContain('x-amz-decoded-content-length');
      expect(Object.keys(upload.headers)).not.toContain('x-amz-sdk-checksum-algorithm');
    } else {
      const { data: arrived, trailers: fields } = unframed(upload);
      expect(arrived.equals(data)).toBe(true);
      expect([...fields]).toEqual([['x-amz-checksum-crc32', crc32Of(data)]]);
      expect(upload.headers['x-amz-content-sha256']).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
      expect(upload.headers['content-encoding']).toBe('aws-chunked');
      expect(upload.headers['x-amz-trailer']).toBe('x-amz-checksum-crc32');
    }
  });

  it('inside HTTP chunks, without a length, arrives whole', async () => {
    const data = randomBytes(100_000);
    const wire = chunked(data, { chunk: 20_000 });
    const half = wire.subarray(0, 50_001);
    const rest = wire.subarray(50_001);
    store.uploads.length = 0;
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/key',
      headers: { connection: 'close', 'transfer-encoding': 'chunked', ...streamingHeaders(data.length) },
    });
    for (const piece of [half, rest])
      socket.write(`${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`, 'latin1');
    socket.write('0\r\n\r\n');
    expect(summary(await readAll(socket))).toBe('200');
    await setTimeout(20);
    const [upload] = store.uploads;
    if (upload === undefined) throw new Error('nothing arrived');
    expect((trailers === 'decode' ? upload.body : unframed(upload).data).equals(data)).toBe(true);
  });

  it('keeps the other content encodings', async () => {
    const data = randomBytes(10);
    const headers = { ...streamingHeaders(10), 'content-encoding': 'aws-chunked, gzip,AWS-Chunked' };
    expect(await put(chunked(data), headers)).toBe('200');
    expect(store.uploads[0]?.headers['content-encoding']).toBe(
      trailers === 'decode' ? 'gzip' : 'aws-chunked,gzip',
    );
  });

  it('may leave aws-chunked out of its content encoding', async () => {
    const { 'content-encoding': _, ...headers } = streamingHeaders(10);
    expect(await put(chunked(randomBytes(10)), headers)).toBe('200');
  });

  const small = randomBytes(100);
  const large = randomBytes(300_000);
  describe.each([
    ['small', small],
    ['large', large],
  ])('that is %s and invalid', (_size, data) => {
    const right = chunked(data);
    const other = Buffer.from(data);
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    it.each<[string, Buffer, Record<string, string>, string]>([
      ['has another checksum', chunked(data, { checksum: crc32Of(other) }), {}, '400 BadDigest'],
      ['has a byte changed', chunked(other, { checksum: crc32Of(data) }), {}, '400 BadDigest'],
      [
        'has no trailer',
        right.subarray(0, -'x-amz-checksum-crc32:AAAAAA==\r\n\r\n'.length),
        {},
        '400 MalformedTrailerError',
      ],
      [
        'has another trailer',
        chunked(data, { name: 'x-amz-checksum-sha1' }),
        {},
        '400 MalformedTrailerError',
      ],
      [
        'has a trailer that is not a checksum',
        chunked(data, { checksum: 'AAAA' }),
        {},
        '400 MalformedTrailerError',
      ],
      [
        'has a second trailer',
        chunked(data, { end: 'x-amz-meta-a:b\r\n\r\n' }),
        {},
        '400 MalformedTrailerError',
      ],
      ['has bytes after its end', chunked(data, { end: '\r\nmore' }), {}, '400 IncompleteBody'],
      ['ends early', right.subarray(0, right.length - 60), {}, '400 IncompleteBody'],
      [
        'is longer than declared',
        right,
        { 'x-amz-decoded-content-length': String(data.length - 1) },
        '400 IncompleteBody',
      ],
      [
        'is shorter than declared',
        right,
        { 'x-amz-decoded-content-length': String(data.length + 1) },
        '400 IncompleteBody',
      ],
      [
        'declares a negative length',
        right,
        { 'x-amz-decoded-content-length': '-1' },
        '411 MissingContentLength',
      ],
      ['declares too much', right, { 'x-amz-decoded-content-length': '5368709121' }, '400 EntityTooLarge'],
      ['announces no trailer', right, { 'x-amz-trailer': '' }, '400 MalformedTrailerError'],
      ['announces no checksum', right, { 'x-amz-trailer': 'x-amz-meta-a' }, '400 InvalidRequest'],
      ['is not framed', Buffer.concat([Buffer.from('data\r\n'), data]), {}, '400 IncompleteBody'],
    ])('that %s is never complete at the store', async (_, wire, headers, expected) => {
      expect(await put(wire, { ...streamingHeaders(data.length), ...headers })).toBe(expected);
      for (const upload of store.uploads) expect(upload.isComplete).toBe(false);
      if (data === small) expect(store.uploads).toEqual([]);
    });

    it('and whose client disconnects is never complete at the store', async () => {
      store.uploads.length = 0;
      const socket = await openSigned(sidecar.url, {
        method: 'PUT',
        path: '/data/key',
        headers: { 'content-length': String(right.length), ...streamingHeaders(data.length) },
      });
      socket.write(right.subarray(0, right.length - 1));
      await setTimeout(100);
      socket.destroy();
      await setTimeout(100);
      for (const upload of store.uploads) expect(upload.isComplete).toBe(false);
    });
  });

  it('with a small chunk in the middle is refused', async () => {
    const data = randomBytes(20_000);
    expect(await put(chunked(data, { chunk: 8191 }), streamingHeaders(20_000))).toBe(
      '403 InvalidChunkSizeError',
    );
  });

  it('without a declared length is refused', async () => {
    const { 'x-amz-decoded-content-length': _, ...headers } = streamingHeaders(10);
    expect(await put(chunked(randomBytes(10)), headers)).toBe('411 MissingContentLength');
  });

  it('is accepted for uploads only', async () => {
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data',
      headers: { connection: 'close', 'content-length': '0', ...streamingHeaders(0) },
    });
    expect(summary(await readAll(socket))).toBe('400 InvalidRequest');
  });
});
