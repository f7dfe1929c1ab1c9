import { CopyObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { startRawServer } from '../http-client/raw-server.ts';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar } from '../support/sidecar.ts';
import { storeAnswer, storeError } from './raw-store.ts';

/** A client of a store without objects, whose caller may list these buckets only. */
async function listing(...buckets: string[]): Promise<S3Client> {
  const store = await startRawServer(({ socket }) => socket.write(storeAnswer(404, storeError('NoSuchKey'))));
  onTestFinished(() => store.close());
  const lists = buckets.map((name) => `"arn:aws:s3:::${name}"`).join(', ');
  const sidecar = await startSidecar({
    directory: openDirectory.replace(
      'Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }]',
      `Statement: [${[
        '{ Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "*" }',
        `{ Effect: Allow, Action: "s3:ListBucket", Resource: [${lists}] }`,
      ].join(', ')}]`,
    ),
    supports: ['conditionalCopy'],
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
  onTestFinished(() => sidecar.stop());
  return s3Client(sidecar.url, alice);
}

const destination = { Bucket: 'destination', Key: 'key', IfMatch: '"e"' };
const put = new PutObjectCommand({ ...destination, Body: 'x' });
const copy = new CopyObjectCommand({ ...destination, CopySource: '/source/key' });

it.each([
  [['source'], 'AccessDenied 403', 'AccessDenied 403'],
  [['destination'], 'NoSuchKey 404', 'AccessDenied 403'],
  [['source', 'destination'], 'NoSuchKey 404', 'NoSuchKey 404'],
])(
  'a caller who may list %j gets for a missing destination: put %s, copy %s',
  async (buckets, ofPut, ofCopy) => {
    const client = await listing(...buckets);
    expect(await outcome(client.send(put))).toBe(ofPut);
    expect(await outcome(client.send(copy))).toBe(ofCopy);
  },
);
