import { CopyObjectCommand, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, type s3Client } from '../support/sdk.ts';
import { inFrontOf } from './asked-store.ts';
import { storeError } from './raw-store.ts';

const object = { Bucket: 'data', Key: 'key' };
const cannotList = openDirectory.replace('"s3:*"', '["s3:GetObject*", "s3:PutObject*"]');

describe('a copy is sent only when its source', () => {
  const copies = (source: string): readonly (CopyObjectCommand | UploadPartCopyCommand)[] => [
    new CopyObjectCommand({ ...object, CopySource: source }),
    new UploadPartCopyCommand({ ...object, CopySource: source, PartNumber: 1, UploadId: 'u' }),
  ];
  const send = async (
    client: ReturnType<typeof s3Client>,
    source = 'sources/secret',
  ): Promise<readonly string[]> => {
    const told: string[] = [];
    for (const copy of copies(source)) {
      const sent = copy instanceof CopyObjectCommand ? client.send(copy) : client.send(copy);
      told.push(await outcome(sent));
    }
    return told;
  };

  it('exists', async () => {
    const { client, writes, reads } = await inFrontOf(() => [200]);
    expect(await send(client, 'sources/a%2520b?versionId=v1')).toEqual(['allowed', 'allowed']);
    expect(writes).toEqual(['PUT', 'PUT']);
    const asked = 'HEAD /sources/a%2520b?versionId=v1';
    expect(reads.map(({ method, url }) => `${method} ${url}`)).toEqual([asked, asked]);
  });

  it.each([
    [404, 'NoSuchKey', 'NoSuchKey 404'],
    [404, 'NoSuchVersion', 'NoSuchVersion 404'],
    [404, 'NoSuchBucket', 'NoSuchBucket 404'],
    [405, 'MethodNotAllowed', 'MethodNotAllowed 405'],
    [403, 'AccessDenied', 'AccessDenied 403'],
    [403, 'SignatureDoesNotMatch', 'ServiceUnavailable 503'],
    [404, '', 'ServiceUnavailable 503'],
    [301, 'PermanentRedirect', 'ServiceUnavailable 503'],
  ])('is not refused by the store with %i %s', async (status, code, expected) => {
    const { client, writes } = await inFrontOf(() => [status, code === '' ? '' : storeError(code)]);
    expect(await send(client)).toEqual([expected, expected]);
    expect(writes).toEqual([]);
  });

  it('is not a delete marker', async () => {
    const { client, writes } = await inFrontOf(() => [405]);
    expect(await send(client, 'sources/secret?versionId=v')).toEqual([
      'InvalidRequest 400',
      'InvalidRequest 400',
    ]);
    expect(writes).toEqual([]);
  });

  it('is not refused by HEAD alone', async () => {
    const { client, writes } = await inFrontOf(({ method }) => (method === 'HEAD' ? [403] : [200]));
    expect(await send(client)).toEqual(['ServiceUnavailable 503', 'ServiceUnavailable 503']);
    expect(writes).toEqual([]);
  });

  // versitygw 1.8, for `versionId=null` in a bucket without versioning.
  it.each([200, 206])('is shown to a GET with %i, whatever HEAD says', async (status) => {
    const { client, writes } = await inFrontOf(({ method }) => (method === 'HEAD' ? [404] : [status]));
    expect(await send(client)).toEqual(['allowed', 'allowed']);
    expect(writes).toEqual(['PUT', 'PUT']);
  });

  it('exists; its absence stays hidden from callers who may not list', async () => {
    const { client, writes } = await inFrontOf(() => [404, storeError('NoSuchKey')], {
      directory: cannotList,
    });
    expect(await send(client)).toEqual(['AccessDenied 403', 'AccessDenied 403']);
    expect(writes).toEqual([]);
  });

  it('can be read with the key that the copy has for it', async () => {
    const { client, reads } = await inFrontOf(() => [200]);
    const key = Buffer.alloc(32).toString('base64');
    const CopySource = 'sources/secret';
    const keys = { CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: key };
    await client.send(new CopyObjectCommand({ ...object, CopySource, ...keys })).catch(() => undefined);
    expect(reads[0]?.headers['x-amz-server-side-encryption-customer-algorithm']).toBe('AES256');
    expect(reads[0]?.headers['x-amz-server-side-encryption-customer-key']).toBe(key);
  });
});
