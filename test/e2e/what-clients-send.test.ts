import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { presignWithSmithy, signWithSmithy, type TestCredentials } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
let session: Required<TestCredentials>;
let store: S3Client;
let host: string;

beforeAll(async () => {
  sidecar = await startSidecar({ server: '  virtualHosts: [test.local, store.test.local]' });
  host = new URL(sidecar.url).host;
  session = await assume(sidecar.url, alice, 'admin');
  store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  for (const Bucket of ['data', 'store', 'name']) await store.send(new CreateBucketCommand({ Bucket }));
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'key', Body: 'content' }));
});
afterAll(() => sidecar.stop());

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send({ method, path, query = {}, headers = {}, body = '' }: Sent): Promise<string> {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  const wire = await signWithSmithy(
    {
      method,
      path,
      query,
      headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...length, ...headers },
    },
    session,
    { nowMs: Date.now() },
  );
  return summary(await exchange(sidecar.url, toBytes(wire, body)));
}

describe('the Go SDK', () => {
  it('names each attribute in a line of its own, which are signed as one', async () => {
    const wire = await signWithSmithy(
      {
        method: 'GET',
        path: '/data/key',
        query: { attributes: '' },
        headers: { host, 'x-amz-object-attributes': 'ETag,ObjectSize' },
      },
      session,
      { nowMs: Date.now() },
    );
    const lines = wire.headers.flatMap(([name, value]) =>
      name === 'x-amz-object-attributes'
        ? value.split(',').map((one) => [name, one] as const)
        : [[name, value] as const],
    );
    expect(lines.length).toBe(wire.headers.length + 1);
    const answer = await exchange(sidecar.url, toBytes({ ...wire, headers: lines }));
    expect(summary(answer)).toBe('200');
    expect(answer).toContain('<ObjectSize>7</ObjectSize>');
    expect(sidecar.seen.at(-1)?.headers.getAll('x-amz-object-attributes')).toEqual(['ETag,ObjectSize']);
  });
});

describe('the JavaScript SDK', () => {
  const presigned = (options: Parameters<typeof presignWithSmithy>[2] = {}) =>
    presignWithSmithy(
      {
        method: 'PUT',
        path: '/data/presigned',
        query: {},
        headers: { host, 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' },
      },
      session,
      { nowMs: Date.now(), ...options },
    );

  it('presigns an upload with the checksum of an empty body, and uploads something else', async () => {
    const wire = await presigned();
    expect(wire.target).toContain('x-amz-checksum-crc32=AAAAAA%3D%3D');
    const headers = [...wire.headers, ['content-length', '7'] as const];
    const answer = await exchange(sidecar.url, toBytes({ ...wire, headers }, 'content'));
    expect(summary(answer)).toBe('200');
    const { Body } = await store.send(new GetObjectCommand({ Bucket: 'data', Key: 'presigned' }));
    expect(await Body?.transformToString()).toBe('content');
    const sent = sidecar.seen.findLast(({ method }) => method === 'PUT');
    expect(sent?.headers.has('x-amz-checksum-crc32')).toBe(false);
    expect(sent?.headers.has('x-amz-sdk-checksum-algorithm')).toBe(false);
  });

  it('is held to the checksum that its URL demands as a header', async () => {
    const names = ['x-amz-checksum-crc32', 'x-amz-sdk-checksum-algorithm'];
    const wire = await presigned({ unhoistable: names });
    const headers = [...wire.headers, ['content-length', '7'] as const];
    const answer = await exchange(sidecar.url, toBytes({ ...wire, headers }, 'content'));
    expect(summary(answer)).toBe('400 BadDigest');
  });
});

const tagging = (...keys: readonly string[]): string =>
  `<Tagging><TagSet>${keys.map((key) => `<Tag><Key>${key}</Key><Value>v</Value></Tag>`).join('')}</TagSet></Tagging>`;
const eleven = 'abcdefghijk'.split('');
const streaming = {
  'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'x-amz-trailer': 'x-amz-checksum-crc32',
};

describe('clients branch on the code', () => {
  it.each<[string, Sent, string]>([
    [
      'an empty version',
      { method: 'GET', path: '/data/key', query: { versionId: '' } },
      '400 InvalidArgument',
    ],
    [
      'an empty version to delete',
      { method: 'DELETE', path: '/data/key', query: { versionId: '' } },
      '400 InvalidArgument',
    ],
    [
      'an upload that cannot exist',
      { method: 'DELETE', path: '/data/key', query: { uploadId: 'no/upload' } },
      '404 NoSuchUpload',
    ],
    [
      'parts of an upload that cannot exist',
      { method: 'GET', path: '/data/key', query: { uploadId: '' } },
      '404 NoSuchUpload',
    ],
    [
      'a bad bucket of a copy source',
      { method: 'PUT', path: '/data/copy', headers: { 'x-amz-copy-source': 'b/key' } },
      '400 InvalidArgument',
    ],
    [
      'a malformed Content-MD5',
      { method: 'PUT', path: '/data/md5', headers: { 'content-md5': 'YWJyYWNhZGFicmE=' }, body: 'x' },
      '400 InvalidDigest',
    ],
    [
      'a malformed Content-MD5 of a document',
      { method: 'PUT', path: '/data/key', query: { tagging: '' }, headers: { 'content-md5': 'x' } },
      '400 InvalidDigest',
    ],
    [
      'a wrong Content-MD5 of a document',
      {
        method: 'PUT',
        path: '/data/key',
        query: { tagging: '' },
        headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
        body: tagging('a'),
      },
      '400 BadDigest',
    ],
    [
      'too many tags',
      { method: 'PUT', path: '/data/key', query: { tagging: '' }, body: tagging(...eleven) },
      '400 BadRequest',
    ],
    [
      'a long key of a tag',
      { method: 'PUT', path: '/data/key', query: { tagging: '' }, body: tagging('k'.repeat(129)) },
      '400 InvalidTag',
    ],
    [
      'a tag twice',
      { method: 'PUT', path: '/data/key', query: { tagging: '' }, body: tagging('a', 'a') },
      '400 InvalidTag',
    ],
    [
      'a tag of the service',
      { method: 'PUT', path: '/data/tagged', headers: { 'x-amz-tagging': 'aws%3Ax=1' } },
      '400 InvalidTag',
    ],
    [
      'too many tags of a new object',
      { method: 'PUT', path: '/data/tagged', headers: { 'x-amz-tagging': eleven.join('&') } },
      '400 BadRequest',
    ],
    [
      'thousands of tags of a new object, all of them the same',
      { method: 'PUT', path: '/data/tagged', headers: { 'x-amz-tagging': 'a&'.repeat(3_000) } },
      '400 BadRequest',
    ],
    [
      'a tag of a new object twice',
      { method: 'PUT', path: '/data/tagged', headers: { 'x-amz-tagging': 'a=1&a=2' } },
      '400 InvalidArgument',
    ],
    [
      'broken framing',
      {
        method: 'PUT',
        path: '/data/framed',
        headers: { ...streaming, 'x-amz-decoded-content-length': '4' },
        body: 'x4\r\ndata\r\n0\r\n\r\n',
      },
      '400 IncompleteBody',
    ],
    [
      'a decoded length that is not a number',
      {
        method: 'PUT',
        path: '/data/framed',
        headers: { ...streaming, 'x-amz-decoded-content-length': 'four' },
        body: '4\r\ndata\r\n0\r\n\r\n',
      },
      '411 MissingContentLength',
    ],
  ])('of %s', async (_, sent, answer) => {
    const before = sidecar.seen.length;
    expect(await send(sent)).toBe(answer);
    expect(sidecar.seen.length).toBe(before);
  });
});

describe('white space in a signed value', () => {
  it('is one space at the store, however much the client sent', async () => {
    const headers = { 'x-amz-meta-note': 'a \t  b', 'x-amz-meta-tab': 'a\tb' };
    expect(await send({ method: 'PUT', path: '/data/spaces', headers })).toBe('200');
    const sent = sidecar.seen.at(-1)?.headers;
    expect([sent?.get('x-amz-meta-note'), sent?.get('x-amz-meta-tab')]).toEqual(['a b', 'a b']);
  });
});

describe('a base host below another', () => {
  const bucketOf = async (name: string): Promise<string | undefined> => {
    const answered = await send({ method: 'PUT', path: '/name/key', headers: { host: name } });
    expect(answered).toBe('200');
    return sidecar.seen.at(-1)?.target;
  };

  it('is not a bucket of the other, and its subdomains are its own', async () => {
    expect(await bucketOf('store.test.local')).toBe('/name/key');
    expect(await bucketOf('test.local')).toBe('/name/key');
    expect(await bucketOf('data.store.test.local')).toBe('/data/name/key');
    expect(await bucketOf('data.test.local')).toBe('/data/name/key');
  });
});

it('metadata of 200 entries, which are 200 signed headers', async () => {
  const Metadata = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`m${index}`, 'v']));
  const client = s3Client(sidecar.url, session);
  await client.send(new PutObjectCommand({ Bucket: 'data', Key: 'described', Body: 'x', Metadata }));
  const stored = await client.send(new HeadObjectCommand({ Bucket: 'data', Key: 'described' }));
  expect(stored.Metadata).toEqual(Metadata);
});
