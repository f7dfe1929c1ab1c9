import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formBody, formType } from '../support/post-form.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { checksumOf } from '../support/signed-upload.ts';
import { exchange, summary } from '../support/wire.ts';

const everyone = (sid: string, actions: string, resource: string, condition = ''): string =>
  `{ Sid: ${sid}, Effect: Allow, Principal: "*", Action: [${actions}], Resource: "arn:aws:s3:::${resource}"${condition} }`;

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
  roles: []
  bucketPolicies:
    data:
      Version: "2012-10-17"
      Statement:
        - ${everyone('Read', '"s3:GetObject"', 'data/public/*')}
        - ${everyone('Write', '"s3:PutObject", "s3:DeleteObject"', 'data/inbox/*')}
        - ${everyone('Digest', '"s3:PutObject"', 'data/digest/*', ', Condition: { Null: { "s3:x-amz-content-sha256": "false" } }')}
        - ${everyone('Typed', '"s3:GetObject"', 'data/typed/*', ', Condition: { StringEquals: { "aws:PrincipalType": Anonymous, "aws:RequestedRegion": us-east-1 } }')}
        - ${everyone('Signed', '"s3:GetObject"', 'data/signed/*', ', Condition: { StringEquals: { "s3:signatureversion": "AWS4-HMAC-SHA256" } }')}
        - ${everyone('Named', '"s3:GetObject"', 'data/named/*', ', Condition: { StringLike: { "aws:userid": "*" } }')}
        - ${everyone('Tagged', '"s3:GetObject"', 'data/tagged/*', ', Condition: { StringEquals: { "s3:ExistingObjectTag/public": "yes" } }')}
        - ${everyone('Copied', '"s3:GetObject", "s3:GetObjectTagging"', 'data/secret/copied')}
        - { Sid: Account, Effect: Allow, Principal: { AWS: "${account}" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/account/*" }
        - { Sid: Alice, Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:user/alice" }, Action: "s3:*", Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }
        - { Sid: Never, Effect: Deny, Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::data/public/never/*" }
    listed:
      Version: "2012-10-17"
      Statement: [${everyone('List', '"s3:ListBucket"', 'listed')}, ${everyone('Read', '"s3:GetObject"', 'listed/*')}]
`;

const unsigned = (url: string): S3Client =>
  s3Client(url, alice, { config: { signer: { sign: async (request) => request } } });

let sidecar: TestSidecar;
let anyone: S3Client;

beforeAll(async () => {
  sidecar = await startSidecar({
    directory,
    store: '  anonymous: policy',
    further: 'authorization: { enforcement: audit }',
  });
  anyone = unsigned(sidecar.url);
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  for (const Bucket of ['data', 'listed']) await store.send(new CreateBucketCommand({ Bucket }));
  const folders = [
    'public',
    'public/never',
    'typed',
    'signed',
    'named',
    'tagged',
    'account',
    'secret',
    'inbox',
  ];
  for (const folder of folders)
    await store.send(new PutObjectCommand({ Bucket: 'data', Key: `${folder}/k`, Body: folder }));
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'secret/copied', Body: 'copied' }));
  const yes = { Bucket: 'data', Key: 'tagged/yes' };
  await store.send(new PutObjectCommand({ ...yes, Body: 'yes' }));
  await store.send(
    new PutObjectTaggingCommand({ ...yes, Tagging: { TagSet: [{ Key: 'public', Value: 'yes' }] } }),
  );
});
afterAll(() => sidecar.stop());
beforeEach(() => {
  sidecar.seen.length = 0;
});

const host = (): string => new URL(sidecar.url).host;

/** A request as bytes. */
function send(line: string, headers: readonly string[] = [], body = ''): Promise<string> {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const head = [`${line} HTTP/1.1`, `Host: ${host()}`, 'Connection: close', ...length, ...headers];
  return exchange(sidecar.url, `${head.join('\r\n')}\r\n\r\n${body}`);
}

const answerOf = async (...request: Parameters<typeof send>): Promise<string> =>
  summary(await send(...request));

describe('a request without credentials', () => {
  it.each([
    ['data/public/k', 'allowed', 'everyone may read it'],
    ['data/typed/k', 'allowed', 'a condition names the type of the caller, and the region of the account'],
    ['data/tagged/yes', 'allowed', 'its tag says so'],
    ['data/tagged/k', 'AccessDenied 403', 'it lacks the tag'],
    ['data/public/never/k', 'AccessDenied 403', 'a Deny applies to everyone'],
    ['data/secret/k', 'AccessDenied 403', 'no statement names it'],
    ['data/account/k', 'AccessDenied 403', 'the statement names an account'],
    ['data/signed/k', 'AccessDenied 403', 'the condition wants a signature'],
    ['data/named/k', 'AccessDenied 403', 'the condition wants an identity'],
    ['data/public/missing', 'AccessDenied 403', 'it does not exist, which only those who may list are told'],
    ['listed/missing', 'NoSuchKey 404', 'it does not exist, and everyone may list'],
    ['other/public/k', 'AccessDenied 403', 'the bucket has no policy'],
  ])('reads %s: %s, since %s', async (path, expected) => {
    const [Bucket = '', ...key] = path.split('/');
    const call = anyone.send(new GetObjectCommand({ Bucket, Key: key.join('/') }));
    expect(await outcome(call)).toBe(expected);
  });

  it('reaches the store with the signature of the sidecar alone', async () => {
    const answer = await anyone.send(new GetObjectCommand({ Bucket: 'data', Key: 'public/k' }));
    expect(await answer.Body?.transformToString()).toBe('public');
    expect(sidecar.seen).toHaveLength(1);
    const [{ headers }] = sidecar.seen as [(typeof sidecar.seen)[number]];
    expect(headers.get('authorization')).toContain(`Credential=${sidecar.storeCredentials.accessKeyId}/`);
  });

  it('is told nothing but "Access Denied"', async () => {
    const answer = await send('GET /data/secret/k');
    expect(answer).toContain('<Message>Access Denied</Message>');
    expect(answer).not.toMatch(/Encoded|not authorized|arn:/);
  });

  it('is nobody whom enforcement: audit lets pass', async () => {
    expect(await outcome(anyone.send(new GetObjectCommand({ Bucket: 'data', Key: 'secret/k' })))).toBe(
      'AccessDenied 403',
    );
    expect(sidecar.seen).toEqual([]);
  });

  it('lists a bucket that everyone may list, and never the buckets', async () => {
    expect(await outcome(anyone.send(new ListObjectsV2Command({ Bucket: 'listed' })))).toBe('allowed');
    expect(await outcome(anyone.send(new ListObjectsV2Command({ Bucket: 'data' })))).toBe('AccessDenied 403');
    expect(await outcome(anyone.send(new ListBucketsCommand({})))).toBe('AccessDenied 403');
  });

  it('makes and copies what everyone may', async () => {
    const put = (Key: string): Promise<unknown> =>
      anyone.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x'.repeat(100_000) }));
    expect(await outcome(put('inbox/new'))).toBe('allowed');
    expect(await outcome(put('public/new'))).toBe('AccessDenied 403');
    const copy = (CopySource: string): Promise<unknown> =>
      anyone.send(new CopyObjectCommand({ Bucket: 'data', Key: 'inbox/copy', CopySource }));
    expect(await outcome(copy('data/secret/k'))).toBe('AccessDenied 403');
    expect(await outcome(copy('data/secret/copied'))).toBe('allowed');
  });

  it('deletes key by key', async () => {
    const Objects = ['inbox/k', 'secret/k', 'public/k'].map((Key) => ({ Key }));
    const { Deleted, Errors } = await anyone.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects } }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['inbox/k']);
    expect(Errors?.map(({ Key, Code, Message }) => [Key, Code, Message])).toEqual([
      ['secret/k', 'AccessDenied', 'Access Denied'],
      ['public/k', 'AccessDenied', 'Access Denied'],
    ]);
  });

  it('cannot choose the headers of the answer', async () => {
    const answer = await send('GET /data/public/k?response-content-type=text/html');
    expect(summary(answer)).toBe('400 InvalidRequest');
    expect(sidecar.seen).toEqual([]);
  });

  it('calls no action of STS', async () => {
    const sts = new STSClient({
      endpoint: sidecar.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: alice,
      signer: { sign: async (request) => request },
    });
    expect(await outcome(sts.send(new GetCallerIdentityCommand({})))).toMatch(/403$/);
  });
});

describe('a request that says it is signed is none of an anonymous caller', () => {
  const date = 'X-Amz-Date: 20261122T120000Z';
  it.each([
    ['an empty Authorization header', '/data/public/k', ['Authorization:'], '403 AccessDenied'],
    ['a session token', '/data/public/k', ['X-Amz-Security-Token: abc'], '403 AccessDenied'],
    ['an empty session token', '/data/public/k', ['X-Amz-Security-Token:'], '403 AccessDenied'],
    [
      'a session token in the query',
      '/data/public/k?X-Amz-Security-Token=abc',
      [],
      '400 AuthorizationQueryParametersError',
    ],
    [
      'one parameter of a signature',
      '/data/public/k?X-Amz-Expires=60',
      [],
      '400 AuthorizationQueryParametersError',
    ],
    [
      'the same in another case',
      '/data/public/k?x-amz-signature=00',
      [],
      '400 AuthorizationQueryParametersError',
    ],
    ['a parameter of Signature V2', '/data/public/k?AWSAccessKeyId=A', [], '400 InvalidRequest'],
    ['Signature V2', '/data/public/k', ['Authorization: AWS a:b'], '400 InvalidRequest'],
    ['another scheme', '/data/public/k', ['Authorization: Bearer abc'], '400 InvalidArgument'],
    [
      'a broken signature',
      '/data/public/k',
      ['Authorization: AWS4-HMAC-SHA256', date],
      '400 AuthorizationHeaderMalformed',
    ],
    [
      'two ways',
      '/data/public/k?X-Amz-Signature=00',
      ['Authorization: AWS4-HMAC-SHA256'],
      '400 InvalidArgument',
    ],
    [
      'signed chunks',
      '/data/public/k',
      ['X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
      '403 AccessDenied',
    ],
    [
      'a hash in the query',
      '/data/public/k?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD',
      [],
      '400 InvalidArgument',
    ],
    ['an unknown hash', '/data/public/k', ['X-Amz-Content-Sha256: abc'], '400 InvalidArgument'],
    [
      'a repeated hash',
      '/data/public/k',
      ['X-Amz-Content-Sha256: UNSIGNED-PAYLOAD', 'X-Amz-Content-Sha256: UNSIGNED-PAYLOAD'],
      '400 InvalidArgument',
    ],
    ['a vendor header', '/data/public/k', ['X-Minio-Extract: true'], '400 InvalidArgument'],
    ['an unknown header', '/data/public/k', ['X-Amz-Unknown: 1'], '501 NotImplemented'],
  ])('%s', async (_, target, headers, expected) => {
    expect(await answerOf(`GET ${target}`, headers)).toBe(expected);
    expect(sidecar.seen).toEqual([]);
  });

  it('a form without a policy', async () => {
    const body = formBody({ fields: [['key', 'inbox/posted']], file: Buffer.from('x') }).toString('latin1');
    expect(await answerOf('POST /data', [`Content-Type: ${formType}`], body)).toBe('403 AccessDenied');
    expect(await answerOf('POST /', [`Content-Type: ${formType}`], body)).toBe('405 MethodNotAllowed');
  });
});

describe('the body of an anonymous upload', () => {
  const put = 'PUT /data/inbox/body';
  const digest = createHash('sha256').update('content').digest('hex');
  const chunked = (text: string, crc: string): string =>
    `${text.length.toString(16)}\r\n${text}\r\n0\r\nx-amz-checksum-crc32:${crc}\r\n\r\n`;
  const trailer = [
    'X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'X-Amz-Decoded-Content-Length: 7',
    'X-Amz-Trailer: x-amz-checksum-crc32',
  ];

  it('is kept when it is what was declared', async () => {
    expect(await answerOf(put, [], 'content')).toBe('200');
    expect(await answerOf(put, [`X-Amz-Content-Sha256: ${digest}`], 'content')).toBe('200');
    expect(await answerOf('PUT /data/digest/body', [`X-Amz-Content-Sha256: ${digest}`], 'content')).toBe(
      '200',
    );
    const crc = checksumOf(Buffer.from('content'));
    expect(await answerOf(put, trailer, chunked('content', crc))).toBe('200');
    expect(sidecar.seen).toHaveLength(4);
  });

  it.each([
    ['another digest', [`X-Amz-Content-Sha256: ${digest}`], 'CONTENT', '400 XAmzContentSHA256Mismatch'],
    ['another checksum', ['X-Amz-Checksum-Crc32: AAAAAA=='], 'content', '400 BadDigest'],
    ['another trailer', trailer, chunked('content', 'AAAAAA=='), '400 BadDigest'],
    ['framing that was not declared', ['X-Amz-Decoded-Content-Length: 3'], 'content', '400 InvalidRequest'],
    ['no length', ['Transfer-Encoding: chunked'], '', '411 MissingContentLength'],
  ])('is refused for %s', async (_, headers, body, expected) => {
    expect(await answerOf(put, headers, body)).toBe(expected);
    expect(sidecar.seen).toEqual([]);
  });

  it('must have a digest where a policy wants one', async () => {
    expect(await answerOf('PUT /data/digest/body', [], 'content')).toBe('403 AccessDenied');
  });
});

it('the log names an anonymous caller, and no principal', async () => {
  await send('GET /data/public/k');
  const line = sidecar.logged
    .map((text) => JSON.parse(text))
    .findLast(({ operation }) => operation === 'GetObject');
  expect(line).toMatchObject({
    caller: 'anonymous',
    status: 200,
    decision: 'allow',
    policy_type: 'resource',
  });
  expect(line).not.toHaveProperty('principal_arn');
  expect(line).not.toHaveProperty('access_key_id');
});

it('is refused while backend.anonymous is reject', async () => {
  const strict = await startSidecar({ directory });
  try {
    expect(
      summary(
        await exchange(strict.url, 'GET /data/public/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      ),
    ).toBe('403 AccessDenied');
    expect(strict.seen).toEqual([]);
  } finally {
    await strict.stop();
  }
});
