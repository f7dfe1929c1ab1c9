import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { operations } from '../../../src/s3/operations/index.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../../support/sidecar.ts';
import { signWithSmithy } from '../../support/smithy-signer.ts';
import { storeKinds } from './index.ts';
import type { RealStore } from './real-store.ts';
import { storeDirectory } from './store-directory.ts';

/**
 * Every permission but that of the same method without the selector, which a store carries out when it ignores the selector.
 * Ceph RGW 16 takes `DELETE /bucket?encryption` for DeleteBucket, and every store `PUT /bucket/key?annotation` for
 * PutObject (seen 2026-11-23).
 */
const notThePlainOne = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    {
      Effect: 'Deny',
      Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      Resource: '*',
    },
    { Effect: 'Deny', Action: ['s3:ListBucket', 's3:CreateBucket', 's3:DeleteBucket'], Resource: '*' },
  ],
});

const content = 'content of the object';
const selected = operations.filter(
  ({ scope, selectors, name }) =>
    (scope === 'bucket' || scope === 'object') &&
    selectors.length > 0 &&
    // These change or show objects by themselves.
    !/^(DeleteObjects|ListObjectVersions)$/.test(name),
);

describe.each(storeKinds)('a selector that $name may not know', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let atStore: S3Client;
  let session: Required<SdkCredentials>;

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    atStore = s3Client(store.endpoint, store, { config: { requestChecksumCalculation: 'WHEN_REQUIRED' } });
    session = await assume(sidecar.url, alice, 'admin', { Policy: notThePlainOne });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await store?.stop();
  });

  async function send(method: string, path: string, selectors: readonly string[]): Promise<string> {
    const query = Object.fromEntries(
      selectors.map((selector) => {
        const [name = '', value = ''] = selector.split('=');
        return [name, value.replace('*', '1')];
      }),
    );
    const body = method === 'PUT' || method === 'POST' ? '' : undefined;
    const headers = {
      host: new URL(sidecar.url).host,
      // Ceph RGW lists objects in JSON for it (seen 2026-11-28).
      accept: 'application/json',
      'x-amz-content-sha256': createHash('sha256').update('').digest('hex'),
    };
    const request = await signWithSmithy({ method, path, query, headers }, session, {
      nowMs: systemClock.now(),
    });
    const response = await fetch(sidecar.url + request.target, {
      method,
      headers: request.headers.filter(([name]) => name !== 'host').map(([name, value]) => [name, value]),
      ...(body === undefined ? {} : { body }),
    });
    return await response.text();
  }

  it.each(selected.map((operation, index) => ({ ...operation, Bucket: `selected${index}` })))(
    'of $name does nothing that another operation does',
    async ({ method, scope, selectors, Bucket }) => {
      const object = { Bucket, Key: 'key' };
      const isCreated = scope === 'object' || method !== 'PUT';
      const isFilled = isCreated && (scope === 'object' || method !== 'DELETE');
      if (isCreated) await atStore.send(new CreateBucketCommand({ Bucket }));
      if (isFilled) await atStore.send(new PutObjectCommand({ ...object, Body: content }));
      const answer = await send(method, scope === 'bucket' ? `/${Bucket}` : `/${Bucket}/key`, selectors);
      expect(answer).not.toContain(content);
      expect(answer).not.toMatch(/ListBucketResult|"Contents"/);
      const exists = await outcome(atStore.send(new HeadBucketCommand({ Bucket })));
      expect(exists).toBe(isCreated ? 'allowed' : 'NotFound 404');
      if (!isFilled) return;
      const { Body } = await atStore.send(new GetObjectCommand(object));
      expect(await Body?.transformToString()).toBe(content);
    },
  );
});
