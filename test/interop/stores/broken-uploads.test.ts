import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { openSigned, readAll } from '../../support/signed-socket.ts';
import { summary } from '../../support/wire.ts';
import { chunked, crc32, digestHeaders, payloadsOf, trailerHeaders, unsignedHeaders } from './payloads.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';
import { createUploadTarget, storeModes, type UploadTarget } from './upload-target.ts';

const size = 200_000;
const data = randomBytes(size);
const other = randomBytes(size);

/** What a client announces and what it sends; `expected` is absent when it goes away. */
interface BrokenUpload {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly wire: Buffer;
  readonly sentBytes?: number;
  readonly expected?: string;
}

const unsigned = unsignedHeaders;
const digest = digestHeaders(data);
const trailer = trailerHeaders(size);
const right = chunked(data, crc32(data));

const vanishing = [0, 50, 99].flatMap((percent): BrokenUpload[] =>
  payloadsOf(data).map(({ name, headers, wire }) => ({
    name: `${name}, client gone at ${percent} %`,
    headers,
    wire,
    sentBytes: Math.floor((wire.length * percent) / 100),
  })),
);

const wrong: BrokenUpload[] = [
  { name: 'digest, wrong', headers: digest, wire: other, expected: '400 XAmzContentSHA256Mismatch' },
  { name: 'trailer, wrong', headers: trailer, wire: chunked(data, crc32(other)), expected: '400 BadDigest' },
  {
    name: 'trailer, missing',
    headers: trailer,
    wire: right.subarray(0, right.indexOf('x-amz-checksum')),
    expected: '400 MalformedTrailerError',
  },
  {
    name: 'trailer, short',
    headers: trailer,
    wire: chunked(data.subarray(1), crc32(data.subarray(1))),
    expected: '400 IncompleteBody',
  },
  {
    name: 'trailer, long',
    headers: trailer,
    wire: chunked(Buffer.concat([data, data]), crc32(data)),
    expected: '400 IncompleteBody',
  },
  {
    name: 'unsigned, wrong checksum in a header',
    headers: { ...unsigned, 'x-amz-checksum-crc32': crc32(other) },
    wire: data,
    expected: '400 BadDigest',
  },
  {
    name: 'unsigned, wrong Content-MD5',
    headers: { ...unsigned, 'content-md5': createHash('md5').update(other).digest('base64') },
    wire: data,
    expected: '400 BadDigest',
  },
  {
    name: 'digest, wrong checksum in a header',
    headers: { ...digest, 'x-amz-checksum-sha256': createHash('sha256').update(other).digest('base64') },
    wire: data,
    expected: '400 BadDigest',
  },
];

describe.each(storeModes)('$name behind the sidecar, trailers: $trailers', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let target: UploadTarget;

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    target = await createUploadTarget(store);
  });
  afterAll(async () => {
    await target?.remove();
    await sidecar?.stop();
    await store?.stop();
  });

  async function send(path: string, { headers, wire, sentBytes, expected }: BrokenUpload): Promise<void> {
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path,
      headers: { 'content-length': String(wire.length), ...headers },
    });
    socket.on('error', () => undefined);
    if (expected !== undefined) {
      socket.write(wire);
      expect(summary(await readAll(socket))).toBe(expected);
    } else {
      socket.write(wire.subarray(0, sentBytes));
      // The store must have received what was sent, or it has nothing to keep.
      await sleep(150);
      socket.destroy();
    }
    await sleep(150);
  }

  it.each([...vanishing, ...wrong])('keeps nothing of an upload ($name)', async (upload) => {
    const before = await target.held();
    for (const path of target.paths) await send(path, upload);
    expect(await target.held()).toEqual(before);
  });

  it.each([1, 5, 20])(
    'refuses early, and the refusal arrives 30 times out of 30 (%i MB)',
    async (megabytes) => {
      const body = Buffer.alloc(megabytes * 1_000_000);
      const answers = new Map<string, number>();
      for (let round = 0; round < 30; round += 1) {
        const socket = await openSigned(sidecar.url, {
          method: 'PUT',
          path: '/data/kept',
          headers: {
            ...unsigned,
            'content-length': String(body.length),
            'if-none-match': '*',
            connection: 'close',
          },
        });
        socket.on('error', () => undefined);
        socket.write(body);
        const answer = summary(await readAll(socket));
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
      expect([...answers]).toEqual([['412 PreconditionFailed', 30]]);
    },
  );
});
