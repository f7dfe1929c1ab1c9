import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const user = (name: string, accessKeyId: string, variable: string, ...statements: string[]): string => `
    - name: ${name}
      accessKeys: [{ accessKeyId: ${accessKeyId}, secretAccessKey: { env: ${variable} } }]
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [${statements.join(', ')}] } }`;
const directory = `
directory:
  users:${user('alice', alice.accessKeyId, 'ALICE', '{ Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::lake/orders/*" }')}${user(
    'bob',
    bob.accessKeyId,
    'BOB',
    '{ Effect: Allow, Action: "s3:*", Resource: "*" }',
    '{ Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::lake/orders/private/*" }',
  )}
`;
const Bucket = 'lake';
const denied = 'AccessDenied 403';

let sidecar: TestSidecar;
let limited: S3Client;
let excluded: S3Client;
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket }));
  limited = s3Client(sidecar.url, alice);
  excluded = s3Client(sidecar.url, bob);
});
afterAll(() => sidecar.stop());

const put = (s3: S3Client, Key: string): Promise<string> =>
  outcome(s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
const get = (s3: S3Client, Key: string): Promise<string> =>
  outcome(s3.send(new GetObjectCommand({ Bucket, Key })));

describe('a key that a store on a file system takes for a path', () => {
  it.each(['orders//a', 'orders/./a', 'orders/b/../a', 'orders/a//', 'orders//a/../b'])(
    'is written and read where both names are allowed: %s',
    async (key) => {
      expect(await put(limited, key)).toBe('allowed');
      expect(sidecar.seen.at(-1)?.target).toBe(`/lake/${key}`);
      expect(await get(limited, key)).toBe('allowed');
    },
  );

  it.each([
    'orders/../customers/a',
    'orders/../a',
    'orders/./../customers/a',
    'orders//..//customers//a',
    'orders\\..\\customers/a',
  ])('does not lead out of what is allowed: %s', async (key) => {
    expect(await put(limited, key)).toBe(denied);
    expect(await get(limited, key)).toBe(denied);
    expect(await outcome(limited.send(new DeleteObjectCommand({ Bucket, Key: key })))).toBe(denied);
  });

  it.each(['customers/../orders/a', '/orders/a', './orders/a', '//orders/a'])(
    'does not lead into it either: %s',
    async (key) => {
      expect(await get(limited, key)).toBe(denied);
    },
  );

  it.each([
    'orders//private/a',
    'orders/./private/a',
    'orders/private//a',
    'orders/x/../private/a',
    '/orders/private/a',
    'x/../orders/private/a',
    'orders\\private/a',
    'orders/private\\a',
  ])('does not bypass a Deny: %s', async (key) => {
    expect(await get(excluded, key)).toBe(denied);
    expect(await put(excluded, key)).toBe(denied);
  });

  it('does not bypass a Deny as the source of a copy either', async () => {
    const CopySource = 'lake/orders/../customers/a';
    const copy = new CopyObjectCommand({ Bucket, Key: 'orders/copy', CopySource });
    expect(await outcome(limited.send(copy))).toBe(denied);
  });

  it('is decided by both names in a multi-delete', async () => {
    const Objects = ['orders//a', 'orders/../customers/a', 'orders/a'].map((Key) => ({ Key }));
    const { Deleted = [], Errors = [] } = await limited.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
    );
    expect(Deleted.map(({ Key }) => Key)).toEqual(['orders//a', 'orders/a']);
    expect(Errors.map(({ Key, Code }) => [Key, Code])).toEqual([['orders/../customers/a', 'AccessDenied']]);
  });

  it.each(['a/..', '.', './', 'a/../', '../a', 'a/../../b', '..\\a', 'a\\..\\..\\b', '\\'])(
    'is refused when nothing is left: %s',
    async (key) => {
      expect(await get(excluded, key)).toBe('InvalidURI 400');
    },
  );
});
