import { CompleteMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { outcome } from '../support/sdk.ts';
import { type Answer, inFrontOf } from './asked-store.ts';
import { storeError } from './raw-store.ts';

const object = { Bucket: 'data', Key: 'key' };
const parts = { UploadId: 'u', MultipartUpload: { Parts: [{ ETag: '"e"', PartNumber: 1 }] } };

interface Condition {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

/** Writes in every way that takes the condition, while the store gives these answers to a HEAD and a GET of the object. */
async function write(
  condition: Condition,
  head: Answer,
  get: Answer = head,
): Promise<readonly [ReadonlySet<string>, number]> {
  const { client, writes } = await inFrontOf(
    ({ method, url = '' }) => {
      if (method === 'HEAD') return head;
      return url.includes('uploadId') ? [200, '<ListPartsResult/>'] : get;
    },
    { supports: ['conditionalComplete'] },
  );
  const told = [
    await outcome(client.send(new PutObjectCommand({ ...object, ...condition, Body: 'small' }))),
    await outcome(
      client.send(new PutObjectCommand({ ...object, ...condition, Body: Buffer.alloc(200_000) })),
    ),
    await outcome(client.send(new CompleteMultipartUploadCommand({ ...object, ...condition, ...parts }))),
  ];
  return [new Set(told), writes.length];
}

describe('a write with `If-None-Match: *`', () => {
  it('is sent where there is no object', async () => {
    expect(await write({ IfNoneMatch: '*' }, [404])).toEqual([new Set(['allowed']), 3]);
  });

  it.each<[string, Answer]>([
    ['shows', [200]],
    ['shows only with its key', [400]],
  ])('is not sent where the store %s one', async (_, head) => {
    const [told] = await write({ IfNoneMatch: '*' }, head);
    expect(told).toEqual(new Set(['PreconditionFailed 412']));
  });

  it.each([403, 405, 500])('is not sent where the store answers %i', async (status) => {
    const [told] = await write({ IfNoneMatch: '*' }, [status]);
    expect(told).toEqual(new Set(['ServiceUnavailable 503']));
  });
});

describe('a write with `If-Match`', () => {
  it('is sent where there is an object: the store compares the ETag', async () => {
    expect(await write({ IfMatch: '"e"' }, [200])).toEqual([new Set(['allowed']), 3]);
  });

  it('is not sent where there is none', async () => {
    const [told] = await write({ IfMatch: '"e"' }, [404], [404, storeError('NoSuchKey')]);
    expect(told).toEqual(new Set(['NoSuchKey 404']));
  });

  it('is sent where there is no such bucket, so that the store says so', async () => {
    const [told] = await write({ IfMatch: '"e"' }, [404], [404, storeError('NoSuchBucket')]);
    expect(told).toEqual(new Set(['allowed']));
  });

  it.each<[Answer, Answer]>([
    [[500], [500]],
    [[404], [200]],
    [[404], [403, storeError('SignatureDoesNotMatch')]],
  ])('is not sent where the store answers %j and %j', async (head, get) => {
    const [told] = await write({ IfMatch: '"e"' }, head, get);
    expect(told).toEqual(new Set(['ServiceUnavailable 503']));
  });
});

it('a write without a condition needs no lookup', async () => {
  const { client, reads } = await inFrontOf(() => [500]);
  expect(await outcome(client.send(new PutObjectCommand({ ...object, Body: Buffer.alloc(200_000) })))).toBe(
    'allowed',
  );
  expect(reads).toEqual([]);
});
