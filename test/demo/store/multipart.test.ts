import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoreFixture, startFixture } from './store-fixture.ts';

const mebibyte = 1024 * 1024;
let fixture: StoreFixture;
let s3: S3Client;
beforeAll(async () => {
  fixture = await startFixture();
  s3 = fixture.sdk();
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => fixture.store.close());

async function create(key: string, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<string> {
  const created = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'data', Key: key, ...more }));
  return created.UploadId ?? '';
}

async function part(key: string, uploadId: string, number: number, body: Buffer | string): Promise<string> {
  const sent = await s3.send(
    new UploadPartCommand({ Bucket: 'data', Key: key, UploadId: uploadId, PartNumber: number, Body: body }),
  );
  return sent.ETag ?? '';
}

function complete(key: string, uploadId: string, parts: readonly (readonly [number, string])[]) {
  return s3.send(
    new CompleteMultipartUploadCommand({
      Bucket: 'data',
      Key: key,
      UploadId: uploadId,
      MultipartUpload: { Parts: parts.map(([PartNumber, ETag]) => ({ PartNumber, ETag })) },
    }),
  );
}

describe('multipart uploads', () => {
  it('joins the parts in order and tags the object with the digest of digests', async () => {
    const first = Buffer.alloc(5 * mebibyte, 1);
    const uploadId = await create('joined', { ContentType: 'text/x', Metadata: { a: 'b' } });
    const lastTag = await part('joined', uploadId, 9, 'end');
    await part('joined', uploadId, 2, 'replaced');
    const firstTag = await part('joined', uploadId, 2, first);
    const listed = await s3.send(new ListPartsCommand({ Bucket: 'data', Key: 'joined', UploadId: uploadId }));
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [2, 5 * mebibyte],
      [9, 3],
    ]);
    const done = await complete('joined', uploadId, [
      [2, firstTag],
      [9, lastTag],
    ]);
    const digests = [first, 'end'].map((body) => createHash('md5').update(body).digest());
    const tag = createHash('md5').update(Buffer.concat(digests)).digest('hex');
    expect(done).toMatchObject({ ETag: `"${tag}-2"`, Bucket: 'data', Key: 'joined' });
    expect(done.Location).toBe(`${fixture.store.url}/data/joined`);
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'data', Key: 'joined' }));
    expect(head).toMatchObject({
      ContentLength: 5 * mebibyte + 3,
      ContentType: 'text/x',
      Metadata: { a: 'b' },
    });
    const end = await s3.send(
      new GetObjectCommand({ Bucket: 'data', Key: 'joined', Range: `bytes=${5 * mebibyte - 1}-` }),
    );
    expect(await end.Body?.transformToString()).toBe('\u0001end');
    await expect(complete('joined', uploadId, [[2, firstTag]])).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });

  it('accepts 3 × 5 MiB from lib-storage, with and without checksums', async () => {
    for (const mode of ['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const) {
      const client = fixture.sdk({ requestChecksumCalculation: mode, responseChecksumValidation: mode });
      const body = Buffer.concat([1, 2, 3].map((fill) => Buffer.alloc(5 * mebibyte, fill)));
      const params = { Bucket: 'data', Key: mode, Body: Readable.from([body]) };
      const done = await new Upload({ client, params, partSize: 5 * mebibyte }).done();
      expect(done.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
      const got = await client.send(new GetObjectCommand({ Bucket: 'data', Key: mode }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    }
  });

  it('makes a checksum of checksums, or one of the whole object on request', async () => {
    const body = Buffer.alloc(5 * mebibyte, 7);
    for (const type of ['COMPOSITE', 'FULL_OBJECT'] as const) {
      const uploadId = await create(type, { ChecksumAlgorithm: 'CRC32C', ChecksumType: type });
      const tags = [await part(type, uploadId, 1, body), await part(type, uploadId, 2, 'x')];
      const done = await complete(
        type,
        uploadId,
        tags.map((tag, index) => [index + 1, tag] as const),
      );
      expect(done.ChecksumType).toBe(type);
      expect(done.ChecksumCRC32C?.endsWith('-2')).toBe(type === 'COMPOSITE');
      const head = await s3.send(
        new HeadObjectCommand({ Bucket: 'data', Key: type, ChecksumMode: 'ENABLED' }),
      );
      expect(head.ChecksumCRC32C).toBe(done.ChecksumCRC32C);
    }
  });

  it('rejects parts that are missing, wrong, out of order or too small, and leaves the old object', async () => {
    await fixture.send({ method: 'PUT', target: '/data/target', body: 'old' });
    const uploadId = await create('target');
    const small = await part('target', uploadId, 1, 'small');
    const large = await part('target', uploadId, 2, Buffer.alloc(5 * mebibyte));
    const cases: readonly [string, readonly (readonly [number, string])[]][] = [
      ['MalformedXML', []],
      ['InvalidPart', [[3, small]]],
      ['InvalidPart', [[1, large]]],
      [
        'InvalidPartOrder',
        [
          [2, large],
          [1, small],
        ],
      ],
      [
        'InvalidPartOrder',
        [
          [2, large],
          [2, large],
        ],
      ],
      [
        'EntityTooSmall',
        [
          [1, small],
          [2, large],
        ],
      ],
    ];
    for (const [name, parts] of cases) {
      await expect(complete('target', uploadId, parts)).rejects.toMatchObject({ name });
    }
    expect((await fixture.send({ target: '/data/target' })).body).toBe('old');
    await complete('target', uploadId, [[1, small]]);
    expect((await fixture.send({ target: '/data/target' })).body).toBe('small');
  });

  it('rejects completing over an object when the writer forbids it, and keeps the upload', async () => {
    await fixture.send({ method: 'PUT', target: '/data/guarded', body: 'old' });
    const uploadId = await create('guarded');
    const tag = await part('guarded', uploadId, 1, 'new');
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${tag}</ETag></Part></CompleteMultipartUpload>`;
    const target = `/data/guarded?uploadId=${uploadId}`;
    for (const [headers, code] of [
      [{ 'if-none-match': '*' }, 'PreconditionFailed'],
      [{ 'x-amz-mp-object-size': '4' }, 'InvalidRequest'],
      [{ 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ] as const) {
      expect((await fixture.send({ method: 'POST', target, body, headers })).code).toBe(code);
    }
    expect((await fixture.send({ target: '/data/guarded' })).body).toBe('old');
    expect((await fixture.send({ method: 'POST', target, body })).status).toBe(200);
  });

  it.each([
    ['PUT', 'partNumber=0&uploadId=ID', 'InvalidArgument'],
    ['PUT', 'partNumber=10001&uploadId=ID', 'InvalidArgument'],
    ['PUT', 'partNumber=x&uploadId=ID', 'InvalidArgument'],
    ['PUT', 'partNumber=1&uploadId=none', 'NoSuchUpload'],
    ['PUT', 'partNumber=1', 'NotImplemented'],
    ['GET', 'uploadId=none', 'NoSuchUpload'],
    ['GET', 'uploadId=ID&max-parts=x', 'InvalidArgument'],
    ['DELETE', 'uploadId=none', 'NoSuchUpload'],
    ['POST', 'uploadId=none', 'NoSuchUpload'],
    ['POST', 'uploadId=ID', 'MalformedXML'],
  ])('rejects %s ?%s', async (method, query, code) => {
    const uploadId = await create('parts');
    const target = `/data/parts?${query.replace('ID', uploadId)}`;
    expect((await fixture.send({ method, target })).code).toBe(code);
  });

  it('rejects an upload id that belongs to another key', async () => {
    const uploadId = await create('mine');
    const answer = await fixture.send({
      method: 'PUT',
      target: `/data/theirs?partNumber=1&uploadId=${uploadId}`,
      body: 'x',
    });
    expect([answer.status, answer.code]).toEqual([404, 'NoSuchUpload']);
  });

  it('rejects a checksum algorithm that does not fit the upload', async () => {
    const target = '/data/sums?uploads';
    const post = (headers: Record<string, string>) => fixture.send({ method: 'POST', target, headers });
    expect((await post({ 'x-amz-checksum-algorithm': 'MD4' })).code).toBe('InvalidRequest');
    const shaWhole = { 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' };
    expect((await post(shaWhole)).code).toBe('InvalidRequest');
    const uploadId = await create('sums', { ChecksumAlgorithm: 'SHA256' });
    const answer = await fixture.send({
      method: 'PUT',
      target: `/data/sums?partNumber=1&uploadId=${uploadId}`,
      body: '123456789',
      headers: { 'x-amz-checksum-crc32': 'y/Q5Jg==' },
    });
    expect(answer.code).toBe('InvalidRequest');
  });

  it('forgets an aborted upload', async () => {
    const uploadId = await create('aborted');
    const tag = await part('aborted', uploadId, 1, 'x');
    await s3.send(new AbortMultipartUploadCommand({ Bucket: 'data', Key: 'aborted', UploadId: uploadId }));
    await expect(complete('aborted', uploadId, [[1, tag]])).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect((await fixture.send({ target: '/data/aborted' })).code).toBe('NoSuchKey');
  });

  it('pages over parts and over uploads', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'pages' }));
    const Bucket = 'pages';
    const ids: string[] = [];
    for (const Key of ['a', 'a', 'b/1', 'b/2', 'c']) {
      const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      ids.push(UploadId);
    }
    const found: string[] = [];
    let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (let isTruncated = true; isTruncated; ) {
      const page = await s3.send(
        new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, Delimiter: '/', ...marker }),
      );
      found.push(...(page.Uploads ?? []).map(({ Key = '', UploadId = '' }) => `${Key}:${UploadId}`));
      found.push(...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix));
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      isTruncated = page.IsTruncated ?? false;
    }
    const [first = '', second = '', , , last = ''] = ids;
    expect(found).toEqual([...[`a:${first}`, `a:${second}`].sort(), 'b/', `c:${last}`]);

    const uploadId = await create('paged');
    for (const number of [1, 2, 3]) await part('paged', uploadId, number, 'x');
    const page = await s3.send(
      new ListPartsCommand({ Bucket: 'data', Key: 'paged', UploadId: uploadId, MaxParts: 2 }),
    );
    expect([page.IsTruncated, page.NextPartNumberMarker]).toEqual([true, '2']);
    const rest = await s3.send(
      new ListPartsCommand({ Bucket: 'data', Key: 'paged', UploadId: uploadId, PartNumberMarker: '2' }),
    );
    expect([rest.IsTruncated, rest.Parts?.map(({ PartNumber }) => PartNumber)]).toEqual([false, [3]]);
  });
});
