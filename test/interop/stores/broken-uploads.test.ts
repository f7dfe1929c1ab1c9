import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { anySeed, type ClientSeed, joinParts, seedOf } from '../../support/signed-chunks.ts';
import { openSigned, readAll, sendHead, signHead } from '../../support/signed-socket.ts';
import { summary } from '../../support/wire.ts';
import {
  chunked,
  crc32,
  digestHeaders,
  type Payload,
  payloadsOf,
  signedChunks,
  signedHeaders,
  signedTrailerHeaders,
  trailerHeaders,
  unsignedHeaders,
} from './payloads.ts';
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
  readonly wire: Payload['wire'];
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
    sentBytes: Math.floor((wire(anySeed).length * percent) / 100),
  })),
);

const wrong: BrokenUpload[] = [
  { name: 'digest, wrong', headers: digest, wire: () => other, expected: '400 XAmzContentSHA256Mismatch' },
  {
    name: 'trailer, wrong',
    headers: trailer,
    wire: () => chunked(data, crc32(other)),
    expected: '400 BadDigest',
  },
  {
    name: 'trailer, missing',
    headers: trailer,
    wire: () => right.subarray(0, right.indexOf('x-amz-checksum')),
    expected: '400 MalformedTrailerError',
  },
  {
    name: 'trailer, short',
    headers: trailer,
    wire: () => chunked(data.subarray(1), crc32(data.subarray(1))),
    expected: '400 IncompleteBody',
  },
  {
    name: 'trailer, long',
    headers: trailer,
    wire: () => chunked(Buffer.concat([data, data]), crc32(data)),
    expected: '400 IncompleteBody',
  },
  {
    name: 'unsigned, wrong checksum in a header',
    headers: { ...unsigned, 'x-amz-checksum-crc32': crc32(other) },
    wire: () => data,
    expected: '400 BadDigest',
  },
  {
    name: 'unsigned, wrong Content-MD5',
    headers: { ...unsigned, 'content-md5': createHash('md5').update(other).digest('base64') },
    wire: () => data,
    expected: '400 BadDigest',
  },
  {
    name: 'digest, wrong checksum in a header',
    headers: { ...digest, 'x-amz-checksum-sha256': createHash('sha256').update(other).digest('base64') },
    wire: () => data,
    expected: '400 BadDigest',
  },
];

/** One of the signatures replaced: of a chunk, the last chunk, or the trailer. */
const forged = (checksum: string | undefined, index: number): Payload['wire'] => {
  return (seed) => {
    const parts = signedChunks(data, seed, checksum);
    const at = index < 0 ? parts.length + index : index;
    return joinParts(
      parts.map((part, place) => (place === at ? { ...part, signature: 'f'.repeat(64) } : part)),
    );
  };
};

/** Rightly signed up to a place, and then what a client would not send. */
const cutOff = (checksum: string | undefined, from: number, end = ''): Payload['wire'] => {
  return (seed) =>
    Buffer.concat([joinParts(signedChunks(data, seed, checksum).slice(0, from)), Buffer.from(end)]);
};

const checksum = crc32(data);
const mismatch = '403 SignatureDoesNotMatch';
const wronglySigned: BrokenUpload[] = [
  ...[undefined, checksum].flatMap((sum): BrokenUpload[] => {
    const name = sum === undefined ? 'signed chunks' : 'signed chunks and trailer';
    const headers = sum === undefined ? signedHeaders(size) : signedTrailerHeaders(size);
    const short = sum === undefined ? signedHeaders(size + 1) : signedTrailerHeaders(size + 1);
    const long = sum === undefined ? signedHeaders(size - 1) : signedTrailerHeaders(size - 1);
    const right = (seed: ClientSeed): Buffer => joinParts(signedChunks(data, seed, sum));
    const chunks = Math.ceil(size / 65_536);
    return [
      { name: `${name}, first signature forged`, headers, wire: forged(sum, 0), expected: mismatch },
      { name: `${name}, a signature forged`, headers, wire: forged(sum, 2), expected: mismatch },
      { name: `${name}, last data forged`, headers, wire: forged(sum, chunks - 1), expected: mismatch },
      { name: `${name}, last chunk forged`, headers, wire: forged(sum, chunks), expected: mismatch },
      {
        name: `${name}, last chunk missing`,
        headers,
        wire: cutOff(sum, chunks),
        expected: '400 IncompleteBody',
      },
      { name: `${name}, short`, headers: short, wire: right, expected: '400 IncompleteBody' },
      { name: `${name}, long`, headers: long, wire: right, expected: '400 IncompleteBody' },
      {
        name: `${name}, wrong Content-MD5`,
        headers: { ...headers, 'content-md5': createHash('md5').update(other).digest('base64') },
        wire: right,
        expected: '400 BadDigest',
      },
    ];
  }),
  {
    name: 'signed trailer, forged',
    headers: signedTrailerHeaders(size),
    wire: forged(checksum, -1),
    expected: mismatch,
  },
  {
    name: 'signed trailer, wrong checksum',
    headers: signedTrailerHeaders(size),
    wire: (seed) => joinParts(signedChunks(data, seed, crc32(other))),
    expected: '400 BadDigest',
  },
  {
    name: 'signed trailer, missing',
    headers: signedTrailerHeaders(size),
    wire: cutOff(checksum, -1, '\r\n'),
    expected: '400 MalformedTrailerError',
  },
  {
    name: 'signed trailer, not signed',
    headers: signedTrailerHeaders(size),
    wire: cutOff(checksum, -1, `x-amz-checksum-crc32:${checksum}\r\n\r\n`),
    expected: '400 MalformedTrailerError',
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
    const fields = { 'content-length': String(wire(anySeed).length), ...headers };
    const head = await signHead(sidecar.url, { method: 'PUT', path, headers: fields });
    const socket = sendHead(sidecar.url, head);
    socket.on('error', () => undefined);
    const body = wire(seedOf(head, alice.secretAccessKey));
    if (expected !== undefined) {
      socket.write(body);
      expect(summary(await readAll(socket))).toBe(expected);
    } else {
      socket.write(body.subarray(0, sentBytes));
      // The store must have received what was sent, or it has nothing to keep.
      await sleep(150);
      socket.destroy();
    }
    await sleep(150);
  }

  it.each([...vanishing, ...wrong, ...wronglySigned])(
    'keeps nothing of an upload ($name)',
    async (upload) => {
      const before = await target.held();
      await Promise.all(target.paths.map((path) => send(path, upload)));
      expect(await target.held()).toEqual(before);
    },
  );

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
