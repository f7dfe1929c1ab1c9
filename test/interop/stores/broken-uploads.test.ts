import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChecksum } from '../../../src/sigv4/checksum.ts';
import { s3Client } from '../../support/sdk.ts';
import { startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { openSigned, readAll } from '../../support/signed-socket.ts';
import { summary } from '../../support/wire.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

const Bucket = 'data';
const size = 200_000;
const data = randomBytes(size);
const other = randomBytes(size);

function crc32(body: Buffer): string {
  const checksum = startChecksum('crc32');
  checksum.update(body);
  return checksum.digest().toString('base64');
}

function chunked(body: Buffer, checksum: string): Buffer {
  const pieces: Buffer[] = [];
  for (let index = 0; index < body.length; index += 65_536) {
    const piece = body.subarray(index, index + 65_536);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(`0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`)]);
}

/** What a client announces and what it sends; `expected` is absent when it goes away. */
interface BrokenUpload {
  readonly name: string;
  readonly headers: Record<string, string>;
  readonly wire: Buffer;
  readonly sentBytes?: number;
  readonly expected?: string;
}

const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
const digest = { 'x-amz-content-sha256': createHash('sha256').update(data).digest('hex') };
const trailer = {
  'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'x-amz-decoded-content-length': String(size),
  'x-amz-trailer': 'x-amz-checksum-crc32',
  'content-encoding': 'aws-chunked',
};
const right = chunked(data, crc32(data));

const vanishing = [0, 50, 99].flatMap((percent): BrokenUpload[] =>
  [
    { name: 'unsigned', headers: unsigned, wire: data },
    { name: 'digest', headers: digest, wire: data },
    { name: 'trailer', headers: trailer, wire: right },
  ].map(({ name, headers, wire }) => ({
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

const modes = storeKinds.flatMap((kind) =>
  (kind.trailers === 'decode' ? (['decode'] as const) : (['reframe', 'decode'] as const)).map((trailers) => ({
    ...kind,
    trailers,
  })),
);

describe.each(modes)('$name behind the sidecar, trailers: $trailers', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let atStore: S3Client;
  let uploadId = '';

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    await atStore.send(new CreateBucketCommand({ Bucket }));
    await atStore.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'before' }));
    const begun = await atStore.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parted' }));
    uploadId = begun.UploadId ?? '';
    const part = { Bucket, Key: 'parted', UploadId: uploadId, PartNumber: 1, Body: 'part before' };
    await atStore.send(new UploadPartCommand(part));
  });
  afterAll(async () => {
    await atStore?.send(new AbortMultipartUploadCommand({ Bucket, Key: 'parted', UploadId: uploadId }));
    await sidecar?.stop();
    await store?.stop();
  });

  /** Everything that the store has. */
  async function held(): Promise<unknown> {
    const objects = await atStore.send(new ListObjectsV2Command({ Bucket }));
    const uploads = await atStore.send(new ListMultipartUploadsCommand({ Bucket }));
    const parts = await atStore.send(new ListPartsCommand({ Bucket, Key: 'parted', UploadId: uploadId }));
    const { Body } = await atStore.send(new GetObjectCommand({ Bucket, Key: 'kept' }));
    return {
      objects: objects.Contents?.map(({ Key, ETag, Size }) => [Key, ETag, Size]),
      uploads: uploads.Uploads?.map(({ Key, UploadId }) => [Key, UploadId]),
      parts: parts.Parts?.map(({ PartNumber, ETag, Size }) => [PartNumber, ETag, Size]),
      kept: await Body?.transformToString(),
    };
  }

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
      // The store has to have what was sent, or there is nothing that it could keep.
      await sleep(150);
      socket.destroy();
    }
    await sleep(150);
  }

  it.each([...vanishing, ...wrong])('keeps nothing of an upload ($name)', async (upload) => {
    const before = await held();
    await send('/data/kept', upload);
    await send('/data/never', upload);
    await send(`/data/parted?partNumber=1&uploadId=${uploadId}`, upload);
    await send(`/data/parted?partNumber=2&uploadId=${uploadId}`, upload);
    expect(await held()).toEqual(before);
  });

  it.each([1, 5, 20])('refuses early, and the refusal arrives 30 times of 30 (%i MB)', async (megabytes) => {
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
  });
});
