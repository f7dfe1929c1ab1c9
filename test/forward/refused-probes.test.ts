import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteBucketMetricsConfigurationCommand, PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar } from '../support/sidecar.ts';
import { storeError } from './raw-store.ts';

/** A client of a store that answers every read with `status` and `code`, and every other request with 204. */
async function reading(
  status: number,
  code: string,
): Promise<{ client: ReturnType<typeof s3Client>; writes: string[] }> {
  const writes: string[] = [];
  const store = createServer((message, response) => {
    message.resume().on('end', () => {
      if (message.method !== 'GET') writes.push(message.method ?? '');
      response.writeHead(message.method === 'GET' ? status : 204, { 'content-type': 'application/xml' });
      response.end(message.method === 'GET' && code !== '' ? storeError(code) : undefined);
    });
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
  onTestFinished(() => void store.close());
  const endpoint = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const sidecar = await startSidecar({
    directory: openDirectory,
    backend: { endpoint, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
  onTestFinished(() => sidecar.stop());
  return { client: s3Client(sidecar.url, alice), writes };
}

const remove = new DeleteBucketMetricsConfigurationCommand({ Bucket: 'data', Id: 'x' });
const put = new PutBucketTaggingCommand({ Bucket: 'data', Tagging: { TagSet: [] } });

describe('a change of a configuration that the store', () => {
  it.each([
    [301, 'PermanentRedirect', 'ServiceUnavailable 503'],
    [400, 'InvalidRequest', 'ServiceUnavailable 503'],
    [403, 'AccessDenied', 'ServiceUnavailable 503'],
    [404, '', 'ServiceUnavailable 503'],
    [404, 'NoSuchKey', 'ServiceUnavailable 503'],
    [404, 'NoSuchBucket', 'NoSuchBucket 404'],
    [409, 'OperationAborted', 'ServiceUnavailable 503'],
    [429, 'TooManyRequests', 'ServiceUnavailable 503'],
  ])('refuses to show with %i %s is not sent', async (status, code, expected) => {
    const { client, writes } = await reading(status, code);
    expect(await outcome(client.send(remove))).toBe(expected);
    expect(await outcome(client.send(put))).toBe(expected);
    expect(writes).toEqual([]);
  });

  it.each([
    [200, 'NoList', ['DELETE', 'PUT']],
    [204, '', ['DELETE', 'PUT']],
    [404, 'NoSuchConfiguration', ['PUT']],
    [404, 'NoSuchTagSet', ['PUT']],
    [404, 'NoSuchBucketPolicy', ['PUT']],
    [404, 'OwnershipControlsNotFoundError', ['PUT']],
  ])('knows by %i %s is sent, unless there is nothing to delete', async (status, code, expected) => {
    const { client, writes } = await reading(status, code);
    expect(await outcome(client.send(remove))).toBe('allowed');
    expect(await outcome(client.send(put))).toBe('allowed');
    expect(writes).toEqual(expected);
  });
});
