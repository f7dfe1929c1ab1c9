import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, defaultDirectory, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import type { RealStore } from './stores/real-store.ts';
import { startMinio } from './stores/start-minio.ts';

const everyone = (effect: string, action: string, resource: string): string =>
  `{ Effect: ${effect}, Principal: "*", Action: "${action}", Resource: "arn:aws:s3:::${resource}" }`;
const policy = (...statements: string[]): string =>
  `{ Version: "2012-10-17", Statement: [${statements.join(', ')}] }`;

const directory = `${defaultDirectory}
  bucketPolicies:
    closed: ${policy(everyone('Allow', 's3:GetObject', 'closed/public/*'), everyone('Allow', 's3:PutObject', 'closed/inbox/*'))}
    open: ${policy(everyone('Deny', 's3:*', 'open/secret/*'))}
`;

let store: RealStore;
let root: S3Client;
/** Lets anonymous callers do what its bucket policies say. */
let byPolicy: TestSidecar;
/** Has no valid key at the store, and leaves everything to it. */
let byStore: TestSidecar;

beforeAll(async () => {
  store = await startMinio();
  root = s3Client(store.endpoint, store);
  for (const Bucket of ['closed', 'open']) {
    await root.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ['public/k', 'secret/k'])
      await root.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  }
  const Statement = [
    { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::open/*' },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await root.send(new PutBucketPolicyCommand({ Bucket: 'open', Policy }));
  byPolicy = await startSidecar({ backend: store, directory, store: '  anonymous: policy' });
  byStore = await startSidecar({
    backend: {
      endpoint: store.endpoint,
      accessKeyId: 'NOT-OF-THE-STORE',
      secretAccessKey: 'no-secret-of-it',
    },
    directory,
    store: '  anonymous: passthrough\n  unknownAccessKeys: passthrough\n  passthrough: [/minio/health/]',
  });
});
afterAll(async () => {
  await byPolicy?.stop();
  await byStore?.stop();
  await store?.stop();
});

const anonymous = (url: string): S3Client =>
  s3Client(url, alice, { config: { signer: { sign: async (request) => request } } });
const get = (client: S3Client, path: string): Promise<string> => {
  const [Bucket = '', ...key] = path.split('/');
  return outcome(client.send(new GetObjectCommand({ Bucket, Key: key.join('/') })));
};

it('a bucket is public by a policy of the sidecar, and closed at the store', async () => {
  const client = anonymous(byPolicy.url);
  expect(await get(anonymous(store.endpoint), 'closed/public/k')).toBe('AccessDenied 403');
  expect(await get(client, 'closed/public/k')).toBe('allowed');
  expect(await get(client, 'closed/secret/k')).toBe('AccessDenied 403');
  expect(await get(client, 'closed/public/missing')).toBe('AccessDenied 403');
  // The policy of the store does not count.
  expect(await get(client, 'open/public/k')).toBe('AccessDenied 403');
  expect(await outcome(client.send(new ListObjectsV2Command({ Bucket: 'closed' })))).toBe('AccessDenied 403');
  const put = (Key: string): Promise<string> =>
    outcome(client.send(new PutObjectCommand({ Bucket: 'closed', Key, Body: Buffer.alloc(200_000, 'a') })));
  expect(await put('inbox/new')).toBe('allowed');
  expect(await put('public/k')).toBe('AccessDenied 403');
});

it('the store decides what anonymous callers may do, and the sidecar what they may not', async () => {
  const client = anonymous(byStore.url);
  expect(await get(client, 'open/public/k')).toBe('allowed');
  expect(await get(client, 'open/public/missing')).toBe('NoSuchKey 404');
  expect(await get(client, 'closed/public/k')).toBe('AccessDenied 403');
  expect(await get(anonymous(store.endpoint), 'open/secret/k')).toBe('allowed');
  expect(await get(client, 'open/secret/k')).toBe('AccessDenied 403');
  const remove = new DeleteObjectCommand({ Bucket: 'open', Key: 'public/k' });
  expect(await outcome(client.send(remove))).toBe('AccessDenied 403');
});

it('the store verifies the signatures of its own users', async () => {
  const user = s3Client(byStore.url, store);
  expect(await get(user, 'closed/secret/k')).toBe('allowed');
  expect(await get(user, 'open/secret/k')).toBe('AccessDenied 403');
  const Body = Buffer.alloc(300_000, 'b');
  const put = new PutObjectCommand({
    Bucket: 'closed',
    Key: 'a b/ü+(1)',
    Body,
    Metadata: { from: 'a  user' },
  });
  expect(await outcome(user.send(put))).toBe('allowed');
  expect(await get(root, 'closed/a b/ü+(1)')).toBe('allowed');
  const wrong = s3Client(byStore.url, { ...store, secretAccessKey: 'another-secret' });
  expect(await get(wrong, 'closed/public/k')).toBe('SignatureDoesNotMatch 403');
  expect(await get(s3Client(byStore.url, { ...store, accessKeyId: 'UNKNOWN' }), 'closed/public/k')).toBe(
    'InvalidAccessKeyId 403',
  );
});

it('health checks of the store pass, and its other interfaces do not', async () => {
  expect((await fetch(`${byStore.url}/minio/health/live`)).status).toBe(200);
  expect((await fetch(`${byStore.url}/minio/v2/metrics/cluster`)).status).toBe(400);
  expect((await fetch(`${byPolicy.url}/minio/health/live`)).status).toBe(400);
});
