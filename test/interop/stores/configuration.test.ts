import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { configurationCalls, configured, locked, objectKey } from './configuration-calls.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

type StoreName = (typeof storeKinds)[number]['name'];

/** What a store answers to calls that it does not have. */
const lacking: Readonly<Record<StoreName, Readonly<Record<string, string>>>> = {
  'Ceph RGW 16': {},
  versitygw: {},
  MinIO: {},
};

/** A result without what differs between two answers that say the same. */
async function said(call: Promise<unknown>): Promise<string> {
  const ended = await outcome(call);
  if (ended !== 'allowed') return ended;
  const { $metadata: _, ...result } = (await call) as Record<string, unknown>;
  return JSON.stringify(result);
}

describe.each(storeKinds)('what is set for buckets and objects of $name', ({ name, trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let atStore: S3Client;

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    await atStore.send(new CreateBucketCommand({ Bucket: configured }));
    await atStore.send(new CreateBucketCommand({ Bucket: locked, ObjectLockEnabledForBucket: true }));
    for (const Bucket of [configured, locked])
      await atStore.send(new PutObjectCommand({ Bucket, Key: objectKey, Body: 'x' }));
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  /** A client of a session that may do everything its session policy does not leave out. */
  async function limited(...Statement: readonly object[]): Promise<S3Client> {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    return s3Client(sidecar.url, await assume(sidecar.url, alice, 'admin', { Policy }));
  }
  const allow = (Action: string | readonly string[]) => ({ Effect: 'Allow', Action, Resource: '*' });
  const deny = (Action: string) => ({ Effect: 'Deny', Action, Resource: '*' });

  it.each(configurationCalls)('$name needs $action, and only that', async ({ name: operation, ...row }) => {
    const { action, call, shows = call } = row;
    const before = await said(shows(atStore));
    const everythingElse = await limited(allow('s3:*'), deny(action));
    expect(await outcome(call(everythingElse))).toBe('AccessDenied 403');
    expect(await said(shows(atStore))).toBe(before);

    const answer = lacking[name]?.[operation] ?? 'allowed';
    const result = await said(call(await limited(allow(action))));
    expect(result.startsWith('{') ? 'allowed' : result).toBe(answer);
    const after = await said(shows(atStore));
    if (row.shows === undefined) expect(result).toBe(after);
    else expect(after !== before).toBe(answer === 'allowed');
    expect(await outcome(call(atStore))).toBe(answer);
  });
});
