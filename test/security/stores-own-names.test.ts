import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Own:
          Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: "s3:*", Resource: "*" }
            - { Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::data/secret/*" }
            - Sid: WriteOnce
              Effect: Deny
              Action: "s3:PutObject"
              Resource: "arn:aws:s3:::data/once/*"
              Condition: { "Null": { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } }
`;

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  for (const Key of ['other', 'once/kept']) {
    await store.send(new PutObjectCommand({ Bucket: 'data', Key, Body: Key }));
  }
});
afterAll(() => sidecar.stop());
beforeEach(() => void sidecar.seen.splice(0));

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send({ method, path, query = {}, headers = {}, body = '' }: Sent): Promise<string> {
  const { host } = new URL(sidecar.url);
  const wire = await signWithSmithy(
    {
      method,
      path,
      query: { ...query },
      headers: {
        host,
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        'content-length': String(Buffer.byteLength(body)),
        ...headers,
      },
    },
    alice,
    { nowMs: Date.now() },
  );
  return summary(await exchange(sidecar.url, toBytes(wire, body)));
}

const uploads = '/data/.sgwtmp/multipart/6b86b273ff34/0f7e2a2e/1';

describe('the internal data of a store', () => {
  it.each<[string, Sent, string]>([
    ['a part read', { method: 'GET', path: uploads }, '400 InvalidURI'],
    ['a part looked at', { method: 'HEAD', path: uploads }, '400'],
    ['a part written', { method: 'PUT', path: uploads }, '400 InvalidURI'],
    ['a part deleted', { method: 'DELETE', path: uploads }, '400 InvalidURI'],
    ['an upload of a part', { method: 'POST', path: uploads, query: { uploads: '' } }, '400 InvalidURI'],
    ['a part of an older SeaweedFS', { method: 'GET', path: '/data/.uploads/u/0001.part' }, '400 InvalidURI'],
    ['a folder by its other name', { method: 'GET', path: '/data/secret__XLDIR__' }, '400 InvalidURI'],
    ['a file of an object', { method: 'PUT', path: '/data/new/xl.meta' }, '400 InvalidURI'],
    ['a login of another interface', { method: 'GET', path: '/auth/v1.0' }, '400 InvalidBucketName'],
    ['a bucket of its own', { method: 'GET', path: '/.minio.sys/config' }, '400 InvalidBucketName'],
    [
      'a copy of a part',
      { method: 'PUT', path: '/data/k', headers: { 'x-amz-copy-source': uploads } },
      '400 InvalidURI',
    ],
    [
      'a list of parts',
      { method: 'GET', path: '/data', query: { 'list-type': '2', prefix: '.sgwtmp/' } },
      '400 InvalidArgument',
    ],
    [
      'a deletion of many',
      {
        method: 'POST',
        path: '/data',
        query: { delete: '' },
        body: '<Delete><Object><Key>other</Key></Object><Object><Key>secret__XLDIR__</Key></Object></Delete>',
      },
      '400 MalformedXML',
    ],
  ])('is never requested, even for a caller who may do everything else: %s', async (_, sent, answer) => {
    expect(await send(sent)).toBe(answer);
    expect(sidecar.seen).toEqual([]);
  });
});

describe('a policy that demands a condition', () => {
  it.each<[string, Sent]>([
    [
      'a copy',
      {
        method: 'PUT',
        path: '/data/once/kept',
        headers: { 'x-amz-copy-source': '/data/other', 'if-none-match': '*' },
      },
    ],
    [
      'an upload in parts',
      {
        method: 'POST',
        path: '/data/once/kept',
        query: { uploadId: 'u' },
        headers: { 'if-none-match': '*' },
        body: '<CompleteMultipartUpload/>',
      },
    ],
  ])('cannot be bypassed with a store that ignores it: %s', async (_, sent) => {
    expect(await send(sent)).toBe('501 NotImplemented');
    expect(sidecar.seen).toEqual([]);
    const { 'if-none-match': __, ...without } = sent.headers ?? {};
    expect(await send({ ...sent, headers: without })).toBe('403 AccessDenied');
    expect(sidecar.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  });

  it('is met by an upload, which every store decides by itself', async () => {
    const upload = { method: 'PUT', path: '/data/once/kept', headers: { 'if-none-match': '*' } };
    expect(await send(upload)).toBe('412 PreconditionFailed');
    expect(await send({ ...upload, path: '/data/once/new' })).toBe('200');
  });
});

describe('a deletion with a condition that the store might ignore', () => {
  it.each<Sent>([
    { method: 'DELETE', path: '/data/other', headers: { 'if-match': '"0"' } },
    { method: 'DELETE', path: '/data/other', headers: { 'x-amz-if-match-size': '1' } },
    {
      method: 'DELETE',
      path: '/data/other',
      headers: { 'x-amz-if-match-last-modified-time': 'Mon, 01 Jan 2001 00:00:00 GMT' },
    },
    {
      method: 'POST',
      path: '/data',
      query: { delete: '' },
      body: '<Delete><Object><Key>other</Key><ETag>"0"</ETag></Object></Delete>',
    },
  ])('does not happen: %j', async (sent) => {
    expect(await send(sent)).toBe('501 NotImplemented');
    expect(sidecar.seen).toEqual([]);
  });
});
