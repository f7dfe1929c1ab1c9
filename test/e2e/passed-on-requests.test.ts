import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CapturingStore, startCapturingStore } from '../support/capturing-store.ts';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { alice, defaultDirectory, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll, sendHead, signHead } from '../support/signed-socket.ts';
import { presignWithSmithy, type TestCredentials } from '../support/smithy-signer.ts';
import { exchange, summary } from '../support/wire.ts';

const stranger = { accessKeyId: 'STOREUSER1', secretAccessKey: 'a-secret-of-the-store' };
const storeKey = { accessKeyId: 'K:E', secretAccessKey: 'store-secret' };

const directory = `${defaultDirectory}
  bucketPolicies:
    data:
      Version: "2012-10-17"
      Statement:
        - { Sid: Private, Effect: Deny, Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::data/private/*" }
        - { Sid: Kept, Effect: Deny, Principal: "*", Action: "s3:DeleteObject", Resource: "arn:aws:s3:::data/kept/*" }
        - { Sid: OfBob, Effect: Deny, Principal: { AWS: "arn:aws:iam::123456789012:user/bob" }, Action: "s3:*", Resource: "arn:aws:s3:::data/bob/*" }
        - { Sid: Secret, Effect: Deny, Principal: "*", Action: "s3:PutObject*", Resource: "arn:aws:s3:::data/*", Condition: { StringEquals: { "s3:RequestObjectTag/class": "top+secret" } } }
        - { Sid: Once, Effect: Deny, Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::data/once/*", Condition: { Null: { "s3:if-none-match": "true" } } }
        - { Sid: Plain, Effect: Deny, Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::data/sealed/*", Condition: { Null: { "s3:x-amz-server-side-encryption": "true" } } }
`;

let store: CapturingStore;
let sidecar: TestSidecar;
let client: S3Client;
let unsigned: S3Client;

beforeAll(async () => {
  store = await startCapturingStore();
  sidecar = await startSidecar({
    directory,
    backend: { endpoint: store.url, ...storeKey },
    server: '  virtualHosts: [s3.example.com]',
    store: '  anonymous: passthrough\n  unknownAccessKeys: passthrough',
  });
  client = s3Client(sidecar.url, stranger);
  unsigned = s3Client(sidecar.url, alice, { config: { signer: { sign: async (request) => request } } });
});
afterAll(async () => {
  await sidecar.stop();
  store.close();
});
beforeEach(() => {
  store.uploads.length = 0;
  store.arrived.length = 0;
});

const host = (): string => new URL(sidecar.url).host;

/** What the store got, once it has got one request. */
async function onlyRequest(): Promise<CapturingStore['uploads'][number]> {
  await expect.poll(() => store.uploads.length).toBe(1);
  const [request] = store.uploads;
  if (request === undefined) throw new Error('nothing arrived');
  return request;
}

/** A request with a signature of the stranger. */
async function signed(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  credentials: Parameters<typeof signHead>[2] = stranger,
): Promise<string> {
  const all = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers };
  const head = await signHead(sidecar.url, { method, path, headers: all }, credentials);
  return summary(await readAll(sendHead(sidecar.url, head.replace('\r\n', '\r\nConnection: close\r\n'))));
}

/** A presigned URL, without the origin. Headers move into the query. */
async function presigned(
  method: string,
  headers: Record<string, string> = {},
  credentials: TestCredentials = stranger,
): Promise<string> {
  const path = method === 'PUT' ? '/data/sealed/k' : '/data/k';
  const request = { method, path, query: { 'x-id': 'Operation' }, headers: { host: host(), ...headers } };
  const { target } = await presignWithSmithy(request, credentials, { nowMs: Date.now(), expiresIn: 60 });
  return target;
}

/** A request without credentials. */
async function plain(line: string, headers: readonly string[] = [], name: string = host()): Promise<string> {
  const head = [`${line} HTTP/1.1`, `Host: ${name}`, 'Connection: close', ...headers];
  return summary(await exchange(sidecar.url, `${head.join('\r\n')}\r\n\r\n`));
}

describe('a request with a key that the sidecar does not know', () => {
  it('reaches the store as it came', async () => {
    await client.send(new PutObjectCommand({ Bucket: 'data', Key: 'a b/ü', Body: 'content' }));
    const { target, headers, body } = await onlyRequest();
    expect(target).toBe('/data/a%20b/%C3%BC?x-id=PutObject');
    expect(headers.authorization).toContain(`Credential=${stranger.accessKeyId}/`);
    expect(headers.host).toBe(host());
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
    expect(names).toContain('amz-sdk-invocation-id');
    expect(names.filter((name) => headers[name] === undefined)).toEqual([]);
    expect(body.toString()).toBe('content');
  });

  it('may be presigned, and may ask for the list of buckets, with a key id of Swift too', async () => {
    const url = await presigned('GET', { 'x-amz-checksum-mode': 'ENABLED' });
    expect(url).toContain('x-amz-checksum-mode=ENABLED');
    expect((await fetch(sidecar.url + url)).status).toBe(200);
    const { target, headers } = await onlyRequest();
    expect(target).toBe(url);
    expect(headers).not.toHaveProperty('authorization');
    expect(await signed('GET', '/', {}, { ...stranger, accessKeyId: 'test:tester' })).toBe('200');
  });

  it('may have chunks that are signed, which arrive as they came', async () => {
    const body = '7;chunk-signature=00\r\ncontent\r\n0;chunk-signature=00\r\n\r\n';
    const headers = {
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-decoded-content-length': '7',
      'content-encoding': 'aws-chunked',
      'content-length': String(body.length),
    };
    const head = await signHead(sidecar.url, { method: 'PUT', path: '/data/k', headers }, stranger);
    const socket = sendHead(sidecar.url, `${head.replace('\r\n', '\r\nConnection: close\r\n')}${body}`);
    expect(summary(await readAll(socket))).toBe('200');
    const seen = await onlyRequest();
    expect(seen.body.toString()).toBe(body);
    expect(seen.headers).toMatchObject(headers);
  });

  it('brings nothing of its connection, and no address that it chose', async () => {
    expect(
      await signed('GET', '/data/k', {
        'x-forwarded-for': '10.0.0.1',
        'x-real-ip': '10.0.0.1',
        te: 'trailers',
        cookie: 'a=b',
      }),
    ).toBe('200');
    const { headers } = await onlyRequest();
    for (const name of ['x-forwarded-for', 'x-real-ip', 'te', 'cookie'])
      expect(headers).not.toHaveProperty(name);
  });

  it('is incomplete at the store when its body is', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '1000000' };
    const head = await signHead(sidecar.url, { method: 'PUT', path: '/data/k', headers }, stranger);
    const socket = sendHead(sidecar.url, head);
    socket.write(Buffer.alloc(500_000));
    await expect.poll(() => store.arrived).toEqual(['/data/k']);
    socket.destroy();
    expect((await onlyRequest()).isComplete).toBe(false);
  });

  it.each([
    [
      'its digest is another',
      { 'x-amz-content-sha256': '00'.repeat(32), 'content-length': '0' },
      '400 XAmzContentSHA256Mismatch',
    ],
    ['it has no length', {}, '411 MissingContentLength'],
    ['a checksum is another', { 'x-amz-checksum-crc32': 'AAAAAQ==', 'content-length': '0' }, '400 BadDigest'],
  ])('is refused when %s', async (_, headers, expected) => {
    expect(await signed('PUT', '/data/k', headers)).toBe(expected);
    expect(store.arrived).toEqual([]);
  });
});

describe('a Deny for everyone', () => {
  it.each([
    ['GET', '/data/private/k'],
    ['PUT', '/data/private/k'],
    ['GET', '/data/%70rivate/k'],
    ['GET', '/data/private%2Fk'],
    ['DELETE', '/data/kept/k'],
    ['PUT', '/data/sealed/k'],
  ])('refuses %s %s, signed or not', async (method, path) => {
    const length = method === 'PUT' ? { 'content-length': '0' } : {};
    expect(await signed(method, path, length)).toBe('403 AccessDenied');
    expect(await plain(`${method} ${path}`, method === 'PUT' ? ['Content-Length: 0'] : [])).toBe(
      '403 AccessDenied',
    );
    expect(store.arrived).toEqual([]);
  });

  it('refuses a copy of what is denied, and a batch with one such key', async () => {
    const copy = (CopySource: string): Promise<string> =>
      outcome(client.send(new CopyObjectCommand({ Bucket: 'data', Key: 'new', CopySource })));
    expect(await copy('data/private/k')).toBe('AccessDenied 403');
    const remove = (...keys: string[]): Promise<string> =>
      outcome(
        client.send(
          new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: keys.map((Key) => ({ Key })) } }),
        ),
      );
    expect(await remove('k', 'kept/k')).toBe('AccessDenied 403');
    expect(store.arrived).toEqual([]);
    await remove('k');
    expect((await onlyRequest()).target).toBe('/data/?delete=');
  });

  it('refuses copies from and to buckets with a policy, and parts of them', async () => {
    const copy = (Bucket: string, CopySource: string): Promise<string> =>
      outcome(client.send(new CopyObjectCommand({ Bucket, Key: 'new', CopySource })));
    expect(await copy('data', 'data/k')).toBe('NotImplemented 501');
    expect(await copy('data', 'other/k')).toBe('NotImplemented 501');
    expect(await copy('other', 'data/k')).toBe('NotImplemented 501');
    const part = await signed('PUT', '/other/k?partNumber=1&uploadId=a', { 'x-amz-copy-source': '/data/k' });
    expect(part).toBe('501 NotImplemented');
    expect(store.arrived).toEqual([]);
    await copy('other', 'another/k');
    expect((await onlyRequest()).target).toBe('/other/new?x-id=CopyObject');
  });

  it('for others, or under a condition that is not met, refuses nothing', async () => {
    expect(await signed('GET', '/data/bob/k')).toBe('200');
    const sealed = { 'x-amz-server-side-encryption': 'AES256', 'content-length': '0' };
    expect(await signed('PUT', '/data/sealed/k', sealed)).toBe('200');
  });

  it.each([
    ['k', '200'],
    ['once/k', '403'],
  ])(
    'that demands a condition allows no write, which a store could carry out without it: %s',
    async (key, expected) => {
      const headers = { 'if-none-match': '*', 'content-length': '0' };
      expect(await signed('PUT', `/data/${key}`, headers)).toContain(expected);
      expect(store.arrived).toHaveLength(expected === '200' ? 1 : 0);
    },
  );

  it.each([
    ['top%2Bsecret', '403'],
    ['top+secret', '400'],
    ['other', '200'],
  ])('does not pass under a header that a store reads in another way: class=%s', async (tag, expected) => {
    const headers = { 'x-amz-tagging': `class=${tag}`, 'content-length': '0' };
    expect(await signed('PUT', '/data/k', headers)).toContain(expected);
    expect(store.arrived).toHaveLength(expected === '200' ? 1 : 0);
  });

  it('does not pass under a header that a presigned URL holds', async () => {
    const url = await presigned('PUT', { 'x-amz-server-side-encryption': 'AES256' });
    expect(url).toContain('x-amz-server-side-encryption=AES256');
    const answer = await fetch(sidecar.url + url, { method: 'PUT', body: 'x' });
    expect([answer.status, store.arrived.length]).toEqual([400, 0]);
  });
});

describe('credentials of the sidecar never reach the store', () => {
  it.each([
    [
      'a wrong signature of a key that it knows',
      { ...alice, secretAccessKey: 'wrong-secret' },
      '403 SignatureDoesNotMatch',
    ],
    ["the store's own key", storeKey, '403 InvalidAccessKeyId'],
    ["the store's own key in another case", { ...storeKey, accessKeyId: 'k:e' }, '403 InvalidAccessKeyId'],
    [
      'a key of the form of temporary ones',
      { ...stranger, accessKeyId: 'ASIASTRANGER00000000' },
      '403 InvalidAccessKeyId',
    ],
    ['a session token', { ...stranger, sessionToken: 'token' }, '400 InvalidToken'],
  ])('%s', async (_, credentials, expected) => {
    expect(await signed('GET', '/data/k', {}, credentials)).toBe(expected);
    expect(store.arrived).toEqual([]);
  });

  it('a session whose key is another', async () => {
    const session = await assume(sidecar.url, alice, 'data');
    const mixed = { ...stranger, sessionToken: session.sessionToken };
    expect(await signed('GET', '/data/k', {}, mixed)).toBe('400 InvalidToken');
    const url = await presigned('GET', {}, mixed);
    expect((await fetch(sidecar.url + url)).status).toBe(400);
    expect(await plain('GET /data/k', [`X-Amz-Security-Token: ${session.sessionToken}`])).toBe(
      '403 AccessDenied',
    );
    const target = `/data/k?X-Amz-Security-Token=${encodeURIComponent(session.sessionToken)}`;
    expect(await plain(`GET ${target}`)).toBe('400 AuthorizationQueryParametersError');
    expect(await signed('GET', target)).toBe('400 InvalidArgument');
    expect(store.arrived).toEqual([]);
  });

  it('a request that the sidecar judges is signed by the sidecar', async () => {
    const session = await assume(sidecar.url, alice, 'data');
    await s3Client(sidecar.url, session).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }));
    expect((await onlyRequest()).headers.authorization).toContain('Credential=K:E/');
  });
});

describe('a request without credentials', () => {
  it('reaches the store as it came, unsigned', async () => {
    expect(await outcome(unsigned.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe('allowed');
    const { target, headers } = await onlyRequest();
    expect(target).toBe('/data/k?x-id=GetObject');
    expect(headers.host).toBe(host());
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('x-amz-date');
  });

  it.each([
    ['GET /data/k?response-content-type=text/html', [], '400 InvalidRequest'],
    ['GET /data/a/../k', [], '400 InvalidURI'],
    ['GET /data/a//k', [], '400 InvalidURI'],
    ['GET /data/x/%2e%2e/private/k', [], '400 InvalidURI'],
    ['GET /data/x/..%2Fprivate/k', [], '400 InvalidURI'],
    ['GET /data/x\\..\\private\\k', [], '400 InvalidURI'],
    ['GET /data/x%5C..%5Cprivate/k', [], '400 InvalidURI'],
    ['GET /data/x;/k', [], '400 InvalidURI'],
    ['GET /data/k#x', [], '400 InvalidURI'],
    ['GET /data/\xfc', [], '400 BadRequest'],
    ['GET /data/%zz', [], '400 InvalidURI'],
    ['GET /data/k?a;acl', [], '400 InvalidArgument'],
    ['GET /data/k?x-unknown=1', [], '400 InvalidArgument'],
    ['GET /data/k?acl&tagging', [], '400 InvalidArgument'],
    ['GET /minio/health/live', [], '400 InvalidBucketName'],
    ['GET /data/k', ['Connection: x-amz-meta-a', 'X-Amz-Meta-A: 1'], '400 InvalidArgument'],
    ['GET /data/k', ['Authorization:'], '403 AccessDenied'],
    ['GET /data/k', ['X-Minio-Source: a'], '400 InvalidArgument'],
    [
      'PUT /data/k',
      ['X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'Content-Length: 0'],
      '403 AccessDenied',
    ],
    ['PUT /data/k', ['X-Amz-Copy-Source: data/a b', 'Content-Length: 0'], '400 InvalidArgument'],
    ['POST /?Action=GetCallerIdentity&Version=2011-06-15', ['Content-Length: 0'], '403'],
  ])('%s %j is %s', async (line, headers, expected) => {
    expect(await plain(line, headers)).toContain(expected);
    expect(store.arrived).toEqual([]);
  });

  it.each([
    ['private.s3.example.com', '400 InvalidRequest'],
    ['private.minio.internal', '400 InvalidRequest'],
    ['s3.example.com', '200'],
    ['private', '400 InvalidRequest'],
    ['private:9000', '400 InvalidRequest'],
    ['[cafe]', '400 InvalidRequest'],
    ['[::1]:9000', '200'],
    ['[::1%25data]', '400 InvalidRequest'],
  ])('with the Host %s is %s', async (name, expected) => {
    expect(await plain('GET /data/k', [], name)).toBe(expected);
  });

  it.each(['retention', 'legal-hold'])(
    'does not set the %s of an object, which some stores would replace by the document',
    async (selector) => {
      expect(await plain(`PUT /data/k?${selector}`, ['Content-Length: 0'])).toBe('501 NotImplemented');
      expect(store.arrived).toEqual([]);
    },
  );

  // versitygw 1.8 refuses a lock in a bucket without object lock, and has replaced the object.
  it.each([
    ['PUT /data/k', []],
    ['PUT /data/k', ['X-Amz-Copy-Source: data/l']],
    ['POST /data/k?uploads', []],
  ])('writes no object with a lock: %s %j', async (line, headers) => {
    const locks = ['X-Amz-Object-Lock-Legal-Hold: ON', 'Content-Length: 0'];
    expect(await plain(line, [...headers, ...locks])).toBe('501 NotImplemented');
    expect(store.arrived).toEqual([]);
  });

  it('does not change what some stores take for the bucket itself', async () => {
    const CORSRules = [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }];
    const put = unsigned.send(new PutBucketCorsCommand({ Bucket: 'data', CORSConfiguration: { CORSRules } }));
    expect(await outcome(put)).toBe('NotImplemented 501');
    expect(store.arrived).toEqual([]);
  });
});

it('the refusal of a key by the store is for the client', async () => {
  const real = await startSidecar({ store: '  unknownAccessKeys: passthrough\n  anonymous: passthrough' });
  try {
    const unknown = s3Client(real.url, stranger);
    expect(await outcome(unknown.send(new ListBucketsCommand({})))).toBe('InvalidAccessKeyId 403');
    expect(real.seen).toHaveLength(1);
    const none = s3Client(real.url, alice, { config: { signer: { sign: async (request) => request } } });
    expect(await outcome(none.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe(
      'AccessDenied 403',
    );
    expect(real.seen).toHaveLength(2);
    const line = real.logged
      .map((text) => JSON.parse(text))
      .find(({ operation }) => operation === 'ListBuckets');
    expect(line).toMatchObject({ caller: 'passthrough', access_key_id: stranger.accessKeyId, status: 403 });
    expect(line).not.toHaveProperty('principal_arn');
  } finally {
    await real.stop();
  }
});
