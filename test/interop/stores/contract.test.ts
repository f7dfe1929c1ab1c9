import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { openSigned, readAll } from '../../support/signed-socket.ts';
import { summary } from '../../support/wire.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

const mebibyte = 1024 * 1024;
const awkwardKeys = ['a b', 'plus+sign', 'per%cent', 'ümlaut/漢字', "quote'(1)!*", 'a=b&c;d', 'tilde~/dot.'];

describe.each(storeKinds)('$name behind the sidecar', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let s3: S3Client;
  let atStore: S3Client;
  const Bucket = 'data';

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'admin'));
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  const put = (Key: string, Body: string | Buffer = Key) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const read = async (Key: string, more: { VersionId?: string; Range?: string } = {}): Promise<string> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return (await Body?.transformToString()) ?? '';
  };

  it.each(awkwardKeys)('puts, gets, lists and deletes %j', async (key) => {
    await put(key);
    expect(await read(key)).toBe(key);
    expect(await read(key, { Range: 'bytes=0-0' })).toBe(Buffer.from(key).subarray(0, 1).toString());
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: key }));
    expect(Contents?.map(({ Key }) => Key)).toEqual([key]);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
    expect(await outcome(read(key))).toBe('NoSuchKey 404');
  });

  it('lists in pages and deletes many', async () => {
    await Promise.all(Array.from({ length: 7 }, (_, index) => put(`many/${index}`)));
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: 'many/', MaxKeys: 3, ContinuationToken: token }),
      );
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(keys).toEqual(Array.from({ length: 7 }, (_, index) => `many/${index}`));
    const Objects = keys.map((Key) => ({ Key }));
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors).toEqual([]);
  });

  it('uploads, copies and lists parts, and puts them together', async () => {
    await put('source', randomBytes(5 * mebibyte));
    const upload = { Bucket, Key: 'parts' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
    const first = randomBytes(5 * mebibyte);
    const one = await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: first }));
    const two = await s3.send(
      new UploadPartCopyCommand({ ...upload, UploadId, PartNumber: 2, CopySource: `${Bucket}/source` }),
    );
    const listed = await s3.send(new ListPartsCommand({ ...upload, UploadId }));
    expect(listed.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 2]);
    const running = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(running.Uploads?.map(({ Key }) => Key)).toEqual(['parts']);
    const Parts = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 2, ETag: two.CopyPartResult?.ETag },
    ];
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
    const { ContentLength } = await s3.send(new HeadObjectCommand(upload));
    expect(ContentLength).toBe(10 * mebibyte);
  });

  it('copies objects whose keys need encoding', async () => {
    for (const key of awkwardKeys) {
      await put(key);
      const source = `${Bucket}/${encodeURIComponent(key)}`;
      await s3.send(new CopyObjectCommand({ Bucket, Key: `copy of ${key}`, CopySource: source }));
      expect(await read(`copy of ${key}`)).toBe(key);
    }
  });

  it.each(['control\u0001', 'no character\ufffe'])(
    'completes and copies %j, which XML cannot carry',
    async (key) => {
      const upload = { Bucket, Key: key };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
      const { ETag } = await s3.send(
        new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: key }),
      );
      const Parts = [{ PartNumber: 1, ETag }];
      await s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
      const source = `${Bucket}/${encodeURIComponent(key)}`;
      await s3.send(new CopyObjectCommand({ Bucket, Key: `copy of ${key}`, CopySource: source }));
      expect(await read(`copy of ${key}`)).toBe(key);
      for (const Key of [key, `copy of ${key}`]) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    },
  );

  it('does not copy what the caller may not read', async () => {
    await put('secret/plan');
    const limited = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    const copy = new CopyObjectCommand({ Bucket, Key: 'stolen', CopySource: `${Bucket}/secret/plan` });
    expect(await outcome(limited.send(copy))).toBe('AccessDenied 403');
    expect(await outcome(read('stolen'))).toBe('NoSuchKey 404');
  });

  it('keeps object tags', async () => {
    await put('tagged');
    const Tagging = { TagSet: [{ Key: 'team', Value: 'blue + green' }] };
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging }));
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect(TagSet).toEqual(Tagging.TagSet);
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    const after = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }));
    expect(after.TagSet ?? []).toEqual([]);
  });

  it('keeps versions once a bucket has them', async () => {
    const versioned = { Bucket: 'versioned' };
    await s3.send(new CreateBucketCommand(versioned));
    await s3.send(
      new PutBucketVersioningCommand({ ...versioned, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const object = { ...versioned, Key: 'key' };
    const first = await s3.send(new PutObjectCommand({ ...object, Body: 'first' }));
    await s3.send(new PutObjectCommand({ ...object, Body: 'second' }));
    const { Versions } = await s3.send(new ListObjectVersionsCommand(versioned));
    expect(Versions).toHaveLength(2);
    const old = await s3.send(new GetObjectCommand({ ...object, VersionId: first.VersionId }));
    expect(await old.Body?.transformToString()).toBe('first');
    await s3.send(new DeleteObjectCommand({ ...object, VersionId: first.VersionId }));
    const remaining = await s3.send(new ListObjectVersionsCommand(versioned));
    expect(remaining.Versions).toHaveLength(1);
  });

  it.each([1000, 2 * mebibyte])(
    'leaves an overwritten object as it was when %i bytes are wrong',
    async (size) => {
      await put('kept', 'before');
      const socket = await openSigned(sidecar.url, {
        method: 'PUT',
        path: '/data/kept',
        headers: {
          connection: 'close',
          'content-length': String(size),
          'x-amz-content-sha256': createHash('sha256').update('other').digest('hex'),
        },
      });
      socket.write(randomBytes(size));
      expect(summary(await readAll(socket))).toBe('400 XAmzContentSHA256Mismatch');
      expect(await read('kept')).toBe('before');
    },
  );

  it('shows attributes where the store has them', async () => {
    await put('with-attributes', 'twelve bytes');
    const attributes = new GetObjectAttributesCommand({
      Bucket,
      Key: 'with-attributes',
      ObjectAttributes: ['ETag', 'ObjectSize'],
    });
    const direct = await outcome(atStore.send(attributes));
    expect(await outcome(s3.send(attributes))).toBe(direct);
    if (direct === 'allowed') expect((await s3.send(attributes)).ObjectSize).toBe(12);
  });
});
