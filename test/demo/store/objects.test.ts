import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoreFixture, startFixture, type TestRequest } from './store-fixture.ts';

let fixture: StoreFixture;
let s3: S3Client;
beforeAll(async () => {
  fixture = await startFixture();
  s3 = fixture.sdk();
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => fixture.store.close());

async function put(key: string, body: string, more: Partial<PutObjectCommandInput> = {}): Promise<string> {
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket: 'data', Key: key, Body: body, ...more }));
  return ETag ?? '';
}

const md5 = (text: string): string => createHash('md5').update(text).digest('base64');
const ended = { target: '/data/ten', method: 'GET' } as const;

describe('objects', () => {
  it('gives back the bytes, the metadata and the MD5 as entity tag', async () => {
    const etag = await put('report', 'hello', {
      ContentType: 'text/plain',
      ContentEncoding: 'gzip',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment',
      Metadata: { team: 'blue' },
    });
    expect(etag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    const got = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'report' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({
      ETag: etag,
      ContentLength: 5,
      ContentType: 'text/plain',
      ContentEncoding: 'gzip',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment',
      Metadata: { team: 'blue' },
    });
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'data', Key: 'report' }));
    expect(head).toMatchObject({ ETag: etag, ContentLength: 5, Metadata: { team: 'blue' } });
  });

  it.each(['a b+c', 'a//b', '.', 'x/../y', 'pct%2F', 'ünï', '@:&=$', '\u{1f600}', 'nul-free\u0001'])(
    'keeps the key "%s" apart from its neighbours',
    async (key) => {
      await put(key, key);
      const got = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: key }));
      expect(await got.Body?.transformToString()).toBe(key);
    },
  );

  it('stores an empty object', async () => {
    await put('empty', '');
    const answer = await fixture.send({ target: '/data/empty' });
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '0']);
  });

  it('answers overrides of response headers, and rejects one that cannot be a header', async () => {
    await put('override', 'x');
    const good = await fixture.send({ target: '/data/override?response-content-type=text/html' });
    expect(good.headers['content-type']).toBe('text/html');
    const bad = await fixture.send({ target: '/data/override?response-content-type=a%0d%0ab' });
    expect([bad.status, bad.code]).toEqual([400, 'InvalidArgument']);
  });

  it('rejects reading what does not exist', async () => {
    const missing = await fixture.send({ target: '/data/missing' });
    expect([missing.status, missing.code]).toEqual([404, 'NoSuchKey']);
    expect((await fixture.send({ target: '/nowhere/missing' })).code).toBe('NoSuchBucket');
    const head = await fixture.send({ method: 'HEAD', target: '/data/missing' });
    expect([head.status, head.body]).toEqual([404, '']);
  });

  it('rejects a key of more than 1024 bytes', async () => {
    const answer = await fixture.send({ method: 'PUT', target: `/data/${'%C3%BC'.repeat(513)}` });
    expect([answer.status, answer.code]).toEqual([400, 'KeyTooLongError']);
  });

  it('deletes an object, and says the same when there is none', async () => {
    await put('gone', 'x');
    for (let count = 0; count < 2; count += 1) {
      await s3.send(new DeleteObjectCommand({ Bucket: 'data', Key: 'gone' }));
      expect((await fixture.send({ target: '/data/gone' })).code).toBe('NoSuchKey');
    }
  });
});

describe('ranges', () => {
  beforeAll(() => put('ten', '0123456789'));

  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
    ['bytes=5-99', '56789', 'bytes 5-9/10'],
  ])('answers %s with 206', async (range, body, contentRange) => {
    const answer = await fixture.send({ ...ended, headers: { range } });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([206, body, contentRange]);
  });

  it.each(['bytes=0-1,3-4', 'items=0-1', 'bytes=4-2', 'bytes=-', 'bytes=a-b', 'bytes=1'])(
    'ignores %s as S3 does',
    async (range) => {
      const answer = await fixture.send({ ...ended, headers: { range } });
      expect([answer.status, answer.body]).toEqual([200, '0123456789']);
    },
  );

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999-'])('rejects %s', async (range) => {
    const answer = await fixture.send({ ...ended, headers: { range } });
    expect([answer.status, answer.code]).toEqual([416, 'InvalidRange']);
    expect(answer.headers['content-range']).toBe('bytes */10');
  });

  it('rejects any range of an empty object', async () => {
    await put('void', '');
    expect((await fixture.send({ target: '/data/void', headers: { range: 'bytes=0-' } })).status).toBe(416);
  });
});

describe('preconditions', () => {
  const etag = '"781e5e245d69b566979b86e28d23f2c7"';
  const past = 'Mon, 01 Jan 2024 00:00:00 GMT';
  const future = 'Fri, 01 Jan 2100 00:00:00 GMT';
  beforeAll(() => put('ten', '0123456789'));

  it.each([
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '781e5e245d69b566979b86e28d23f2c7' }, 200],
    [{ 'if-match': `"other", ${etag}` }, 200],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-modified-since': past }, 200],
    [{ 'if-modified-since': future }, 304],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-unmodified-since': future }, 200],
    [{ 'if-unmodified-since': past }, 412],
    [{ 'if-match': etag, 'if-unmodified-since': past }, 200],
    [{ 'if-none-match': '"other"', 'if-modified-since': future }, 200],
    [{ 'if-none-match': etag, 'if-match': '"other"' }, 412],
  ] as const)('answers a read with %o by %i', async (headers, status) => {
    const answer = await fixture.send({ ...ended, headers });
    expect(answer.status).toBe(status);
    if (status === 304) expect([answer.body, answer.headers.etag]).toEqual(['', etag]);
    if (status === 412) expect(answer.code).toBe('PreconditionFailed');
  });

  it('rejects a write or delete whose condition fails, and keeps the old object', async () => {
    await put('once', 'old');
    const write = { method: 'PUT', target: '/data/once', body: 'new' } as const;
    const cases: readonly [Partial<TestRequest>, number, string][] = [
      [{ ...write, headers: { 'if-none-match': '*' } }, 412, 'PreconditionFailed'],
      [{ ...write, headers: { 'if-match': '"other"' } }, 412, 'PreconditionFailed'],
      [{ ...write, headers: { 'if-none-match': '"other"' } }, 501, 'NotImplemented'],
      [{ ...write, target: '/data/never', headers: { 'if-match': '"other"' } }, 404, 'NoSuchKey'],
      [
        { method: 'DELETE', target: '/data/once', headers: { 'if-match': '"other"' } },
        412,
        'PreconditionFailed',
      ],
    ];
    for (const [request, status, code] of cases) {
      const answer = await fixture.send(request);
      expect([answer.status, answer.code]).toEqual([status, code]);
    }
    expect((await fixture.send({ target: '/data/once' })).body).toBe('old');
    const tag = `"${createHash('md5').update('old').digest('hex')}"`;
    expect((await fixture.send({ ...write, headers: { 'if-match': tag } })).status).toBe(200);
    expect((await fixture.send({ target: '/data/once' })).body).toBe('new');
  });
});

describe('integrity of uploads', () => {
  beforeAll(() => put('kept', 'old'));

  it.each([
    [{ 'content-md5': md5('other') }, 'BadDigest'],
    [{ 'content-md5': 'nonsense' }, 'InvalidDigest'],
    [{ 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    [{ 'x-amz-checksum-crc32c': 'AAAAAA==' }, 'BadDigest'],
    [{ 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 'BadDigest'],
    [{ 'x-amz-checksum-sha1': 'x' }, 'BadDigest'],
    [{ 'x-amz-checksum-sha256': 'x' }, 'BadDigest'],
    [{ 'x-amz-checksum-sha256': 'x', 'x-amz-checksum-sha1': 'x' }, 'InvalidRequest'],
    [{ 'x-amz-meta-large': 'x'.repeat(2049) }, 'MetadataTooLarge'],
    [{ 'x-amz-acl': 'public-read' }, 'NotImplemented'],
    [{ 'x-amz-copy-source-range': 'bytes=0-1' }, 'NotImplemented'],
    [{ 'x-amz-tagging': 'a=b&a=c' }, 'InvalidArgument'],
    [{ 'x-amz-server-side-encryption': 'AES256' }, 'NotImplemented'],
    [{ 'x-amz-expected-bucket-owner': '123456789012' }, 'NotImplemented'],
  ] as const)('rejects a body sent with %o', async (headers, code) => {
    const answer = await fixture.send({ method: 'PUT', target: '/data/kept', body: 'new', headers });
    expect(answer.code).toBe(code);
    expect((await fixture.send({ target: '/data/kept' })).body).toBe('old');
  });

  it.each([
    ['CRC32', 'y/Q5Jg=='],
    ['CRC32C', '4waSgw=='],
    ['CRC64NVME', 'rosUhgp5mIg='],
    ['SHA1', '98O8HYCOBHMq32eZZczDTKeuNEE='],
    ['SHA256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU='],
  ] as const)('keeps a correct %s and returns it on request', async (algorithm, value) => {
    const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
    const target = `/data/sum-${algorithm}`;
    await fixture.send({ method: 'PUT', target, body: '123456789', headers: { [header]: value } });
    const asked = await fixture.send({ target, headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect([asked.headers[header], asked.headers['x-amz-checksum-type']]).toEqual([value, 'FULL_OBJECT']);
    expect((await fixture.send({ target })).headers[header]).toBeUndefined();
    const range = { 'x-amz-checksum-mode': 'ENABLED', range: 'bytes=0-1' };
    expect((await fixture.send({ target, headers: range })).headers[header]).toBeUndefined();
  });

  it('serves a client that checks everything it can', async () => {
    const strict = fixture.sdk({
      requestChecksumCalculation: 'WHEN_SUPPORTED',
      responseChecksumValidation: 'WHEN_SUPPORTED',
    });
    const sent = await strict.send(new PutObjectCommand({ Bucket: 'data', Key: 'strict', Body: 'abc' }));
    expect(sent.ChecksumCRC32).toBe('NSRBwg==');
    const got = await strict.send(new GetObjectCommand({ Bucket: 'data', Key: 'strict' }));
    expect(await got.Body?.transformToString()).toBe('abc');
    expect(got.ChecksumCRC32).toBe('NSRBwg==');
  });
});

describe('deleting many objects', () => {
  it('deletes what is listed and reports it, unless quiet', async () => {
    for (const key of ['m/1', 'm/2', 'm/&<3']) await put(key, key);
    const loud = await s3.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'm/1' }, { Key: 'm/none' }] } }),
    );
    expect(loud.Deleted?.map(({ Key }) => Key)).toEqual(['m/1', 'm/none']);
    const quiet = await s3.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Quiet: true, Objects: [{ Key: 'm/&<3' }] } }),
    );
    expect(quiet.Deleted).toBeUndefined();
    expect((await fixture.send({ target: '/data?prefix=m/' })).body).toMatch(/<Key>m\/2<\/Key>/);
    expect((await fixture.send({ target: '/data/m/1' })).status).toBe(404);
  });

  const one = '<Object><Key>kept-key</Key></Object>';
  it.each([
    ['no digest', `<Delete>${one}</Delete>`, {}, 'InvalidRequest'],
    ['a wrong digest', `<Delete>${one}</Delete>`, { 'content-md5': md5('other') }, 'BadDigest'],
    ['another root', `<Remove>${one}</Remove>`, undefined, 'MalformedXML'],
    ['no keys', '<Delete></Delete>', undefined, 'MalformedXML'],
    ['an unknown element', `<Delete>${one}<Loud/></Delete>`, undefined, 'MalformedXML'],
    ['an object without a key', `<Delete>${one}<Object/></Delete>`, undefined, 'MalformedXML'],
    ['a bad Quiet', `<Delete>${one}<Quiet>maybe</Quiet></Delete>`, undefined, 'MalformedXML'],
    ['1001 keys', `<Delete>${one.repeat(1001)}</Delete>`, undefined, 'MalformedXML'],
    ['a DOCTYPE', `<!DOCTYPE Delete><Delete>${one}</Delete>`, undefined, 'MalformedXML'],
    ['broken XML', `<Delete>${one}`, undefined, 'MalformedXML'],
    [
      'a version',
      '<Delete><Object><Key>kept-key</Key><VersionId>1</VersionId></Object></Delete>',
      undefined,
      'NotImplemented',
    ],
  ] as const)('rejects %s and deletes nothing', async (_, body, headers, code) => {
    await put('kept-key', 'x');
    const all = headers ?? { 'content-md5': md5(body) };
    const answer = await fixture.send({ method: 'POST', target: '/data?delete', body, headers: all });
    expect(answer.code).toBe(code);
    expect((await fixture.send({ target: '/data/kept-key' })).status).toBe(200);
  });
});
