import { createHash } from 'node:crypto';
import { CompleteMultipartUploadCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { outcome } from '../support/sdk.ts';
import { type Answer, inFrontOf } from './asked-store.ts';
import { storeError } from './raw-store.ts';

const etags = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'];
const made = createHash('md5')
  .update(Buffer.from(etags.join(''), 'hex'))
  .digest('hex');
const upload = { Bucket: 'data', Key: 'key', UploadId: 'u' };
const completion = new CompleteMultipartUploadCommand({
  ...upload,
  MultipartUpload: { Parts: etags.map((ETag, index) => ({ ETag: `"${ETag}"`, PartNumber: index + 1 })) },
});
const missing: Answer = [404, storeError('NoSuchUpload')];

/** Completes the upload when the store gives these answers to a list of parts and to a HEAD. */
async function complete(
  parts: Answer,
  head: Answer = [404],
  directory = openDirectory,
): Promise<readonly [string, readonly string[]]> {
  const { client, writes } = await inFrontOf(({ method }) => (method === 'HEAD' ? head : parts), {
    directory,
  });
  return [await outcome(client.send(completion)), writes];
}

describe('completing an upload', () => {
  it('needs the upload to exist', async () => {
    expect(await complete([200, '<ListPartsResult/>'])).toEqual(['allowed', ['POST']]);
  });

  it('also succeeds when the object is already made of its parts, because a client that lost the answer asks again', async () => {
    expect(await complete(missing, [200, '', { etag: `"${made}-2"` }])).toEqual(['allowed', ['POST']]);
  });

  it('never tells a caller who may not read the object that it is made of these parts', async () => {
    const writeOnly = openDirectory.replace('"s3:*"', '"s3:PutObject"');
    expect(await complete(missing, [200, '', { etag: `"${made}-2"` }], writeOnly)).toEqual([
      'NoSuchUpload 404',
      [],
    ]);
    expect(await complete([200, '<ListPartsResult/>'], [404], writeOnly)).toEqual(['allowed', ['POST']]);
  });

  it.each<[string, Answer]>([
    ['no object', [404]],
    ['one of other content', [200, '', { etag: `"${'0'.repeat(32)}-2"` }]],
    ['one with another number of parts', [200, '', { etag: `"${made}-3"` }]],
    ['one that was not uploaded in parts', [200, '', { etag: `"${made}"` }]],
    ['one without an ETag', [200]],
  ])('fails where the key has %s', async (_, head) => {
    expect(await complete(missing, head)).toEqual(['NoSuchUpload 404', []]);
    // Ceph RGW 16.
    expect(await complete([404, storeError('NoSuchKey')], head)).toEqual(['NoSuchUpload 404', []]);
  });

  it('fails for more parts than AWS takes, which would have to be hashed', async () => {
    const ofMany = async (count: number): Promise<readonly [string, readonly string[]]> => {
      const digest = createHash('md5')
        .update(Buffer.alloc(16 * count))
        .digest('hex');
      const Parts = Array.from({ length: count }, (_, index) => ({
        ETag: '0'.repeat(32),
        PartNumber: index + 1,
      }));
      const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
      const { client, writes } = await inFrontOf(({ method }) =>
        method === 'HEAD' ? [200, '', { etag: `"${digest}-${count}"` }] : missing,
      );
      return [await outcome(client.send(command)), writes];
    };
    expect(await ofMany(10_000)).toEqual(['allowed', ['POST']]);
    expect(await ofMany(10_001)).toEqual(['NoSuchUpload 404', []]);
  });

  it('fails when the store cannot tell', async () => {
    expect(await complete([500, storeError('InternalError')])).toEqual(['ServiceUnavailable 503', []]);
    expect(await complete([403, storeError('SignatureDoesNotMatch')])).toEqual([
      'ServiceUnavailable 503',
      [],
    ]);
  });

  it('sends the request where there is no such bucket, so that the store says so', async () => {
    expect(await complete([404, storeError('NoSuchBucket')])).toEqual(['allowed', ['POST']]);
  });
});
