import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { assume, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar();
  const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'key-0', Body: 'x' }));
});
afterAll(() => sidecar.stop());

const objects = Array.from({ length: 1000 }, (_, index) => ({ Key: `key-${index}` }));

it('that makes each of a thousand decisions expensive is decided, and other requests meanwhile', async () => {
  // Every `?` run has to be looked for in the whole User-Agent, for every key.
  const pattern = `*${'a?'.repeat(120)}b*`;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { StringLike: { 'aws:UserAgent': [pattern, `${pattern}c`] } },
      },
      { Effect: 'Allow', Action: '*', Resource: '*' },
    ],
  });
  const session = await assume(sidecar.url, alice, 'data', { Policy });
  const s3 = s3Client(sidecar.url, session, { config: { customUserAgent: `x/${'a'.repeat(1800)}` } });
  const deleting = s3.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: objects } }));
  const reading = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data')).send(
    new HeadBucketCommand({ Bucket: 'data' }),
  );
  expect((await reading).$metadata.httpStatusCode).toBe(200);
  expect((await deleting).Deleted).toHaveLength(1000);
});

it('does not keep an ordinary policy from deleting a thousand keys', async () => {
  const Policy =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::data/key-*"}]}';
  const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data', { Policy }));
  const result = await s3.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: objects } }));
  expect(result.Deleted).toHaveLength(1000);
});
