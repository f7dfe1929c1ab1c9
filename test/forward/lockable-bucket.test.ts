import { CopyObjectCommand, CreateMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { outcome } from '../support/sdk.ts';
import { type Answer, inFrontOf } from './asked-store.ts';
import { storeError } from './raw-store.ts';

const object = { Bucket: 'data', Key: 'key' };
const held = { ...object, ObjectLockLegalHoldStatus: 'ON' } as const;
const retained = {
  ...object,
  ObjectLockMode: 'GOVERNANCE',
  ObjectLockRetainUntilDate: new Date('2099-01-01T00:00:00Z'),
} as const;

/** Sends each request that makes an object with a lock. `lock` is what the store says about object lock of the bucket. */
async function makeLocked(lock: Answer): Promise<readonly [told: ReadonlySet<string>, written: number]> {
  const { client, writes } = await inFrontOf(({ url = '' }) => (url.includes('object-lock') ? lock : [200]));
  const told = [
    await outcome(client.send(new PutObjectCommand({ ...held, Body: 'x' }))),
    await outcome(client.send(new PutObjectCommand({ ...retained, Body: 'x' }))),
    await outcome(client.send(new CopyObjectCommand({ ...held, CopySource: 'data/source' }))),
    await outcome(client.send(new CreateMultipartUploadCommand(retained))),
  ];
  return [new Set(told), writes.length];
}

it('any header of object lock makes the sidecar ask about the bucket', async () => {
  const { client, writes } = await inFrontOf(() => [404, storeError('ObjectLockConfigurationNotFoundError')]);
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['x-amz-object-lock-event-hold-duration-days'] = '5';
      return next(args);
    },
    { step: 'build' },
  );
  expect(await outcome(client.send(new PutObjectCommand({ ...object, Body: 'x' })))).toBe(
    'InvalidRequest 400',
  );
  expect(writes).toEqual([]);
});

describe('an object with retention or a legal hold is made only where', () => {
  it('its bucket has object lock', async () => {
    expect(await makeLocked([200, '<ObjectLockConfiguration/>'])).toEqual([new Set(['allowed']), 4]);
  });

  it.each<[string, Answer, string]>([
    ['without it', [404, storeError('ObjectLockConfigurationNotFoundError')], 'InvalidRequest 400'],
    [
      'without it, in the words of other stores',
      [404, storeError('NoSuchObjectLockConfiguration')],
      'InvalidRequest 400',
    ],
    ['of a store that knows no object lock', [501, storeError('NotImplemented')], 'NotImplemented 501'],
    [
      'of a store that lists the bucket instead',
      [200, '<ListBucketResult></ListBucketResult>'],
      'NotImplemented 501',
    ],
    ['about which the store says nothing', [404], 'ServiceUnavailable 503'],
    ['that may not be asked', [403, storeError('AccessDenied')], 'ServiceUnavailable 503'],
    ['of a store that refuses our key', [403, storeError('SignatureDoesNotMatch')], 'ServiceUnavailable 503'],
    ['of a store that fails', [500, storeError('InternalError')], 'ServiceUnavailable 503'],
  ])('not in a bucket %s', async (_, lock, expected) => {
    expect(await makeLocked(lock)).toEqual([new Set([expected]), 0]);
  });

  it('or where there is no such bucket, so that the store says so', async () => {
    expect(await makeLocked([404, storeError('NoSuchBucket')])).toEqual([new Set(['allowed']), 4]);
  });

  it('an object without them needs no lookup', async () => {
    const { client, reads } = await inFrontOf(() => [500]);
    expect(await outcome(client.send(new PutObjectCommand({ ...object, Body: 'x' })))).toBe('allowed');
    expect(reads).toEqual([]);
  });
});
