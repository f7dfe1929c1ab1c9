import type { ServerResponse } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteBucketCorsCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { openSigned } from '../support/signed-socket.ts';
import { isRead, startFakeStore } from './fake-store.ts';

/** A sidecar before a store that hands over each read, which the test answers, and answers every write with 200. */
async function inFrontOf(
  onRead: (response: ServerResponse, url: string) => void,
  options: { readonly clock?: TestClock; readonly directory?: string } = {},
): Promise<{ sidecar: TestSidecar; writes: string[] }> {
  const writes: string[] = [];
  const backend = await startFakeStore((message, response) => {
    const { method = '', url = '' } = message;
    if (isRead(message)) return onRead(response, url);
    writes.push(method);
    return response.end(url.includes('delete') ? '<DeleteResult/>' : '<CopyObjectResult/>');
  });
  const sidecar = await startSidecar({ ...options, backend });
  onTestFinished(() => sidecar.stop());
  return { sidecar, writes };
}

const object = { Bucket: 'data', Key: 'k' };
const cors = { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }] };
/** Allows everything, but the store has to be asked for tags. */
const unlessTagged = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    ...['s3:ExistingObjectTag/x', 's3:BucketTag/x'].map((key) => ({
      Effect: 'Deny',
      Action: ['s3:DeleteObject', 's3:PutObjectTagging'],
      Resource: '*',
      Condition: { StringEquals: { [key]: 'no' } },
    })),
  ],
});
const parts = { UploadId: 'u', MultipartUpload: { Parts: [{ ETag: '"e"', PartNumber: 1 }] } };

it.each<[string, (client: S3Client) => Promise<unknown>]>([
  ['PutObject', (client) => client.send(new PutObjectCommand({ ...object, IfNoneMatch: '*', Body: 'x' }))],
  ['CopyObject', (client) => client.send(new CopyObjectCommand({ ...object, CopySource: 'data/source' }))],
  [
    'CompleteMultipartUpload',
    (client) => client.send(new CompleteMultipartUploadCommand({ ...object, ...parts })),
  ],
  [
    'DeleteObjects',
    (client) =>
      client.send(new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'a//b' }] } })),
  ],
  [
    'PutBucketCors',
    (client) => client.send(new PutBucketCorsCommand({ Bucket: 'data', CORSConfiguration: cors })),
  ],
  ['DeleteBucketCors', (client) => client.send(new DeleteBucketCorsCommand({ Bucket: 'data' }))],
  ['DeleteObject (tags of the bucket)', (client) => client.send(new DeleteObjectCommand(object))],
  [
    'PutObjectTagging (tags of the object)',
    (client) => client.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [] } })),
  ],
])('a session that ends while the store is asked does not write: %s', async (_, send) => {
  const clock = new TestClock();
  const { sidecar, writes } = await inFrontOf(
    (response, url) => {
      clock.advance(7_200_000);
      if (url.includes('versions')) response.end('<ListVersionsResult/>');
      else if (url.includes('cors')) response.end('<CORSConfiguration/>');
      else if (url.includes('tagging')) response.end('<Tagging><TagSet/></Tagging>');
      else response.writeHead(url.includes('source') || url.includes('uploadId') ? 200 : 404).end();
    },
    { clock },
  );
  const session = await assume(sidecar.url, alice, 'admin', { Policy: unlessTagged }, clock);
  expect(await outcome(send(s3Client(sidecar.url, session, { clock })))).toBe('ExpiredToken 400');
  expect(writes).toEqual([]);
});

const whenTagged = (key: string): string =>
  openDirectory.replace('Resource: "*"', `Resource: "*", Condition: { StringEquals: { "${key}": "x" } }`);

it.each<[string, string, string, Record<string, string>]>([
  ['about the object', openDirectory, 'PUT', { 'if-none-match': '*', 'content-length': '1' }],
  ['about the tags of the object', whenTagged('s3:ExistingObjectTag/x'), 'GET', {}],
  ['about the tags of the bucket', whenTagged('s3:BucketTag/x'), 'DELETE', {}],
])('a lookup %s ends with its client, whose place is then free', async (_, directory, method, headers) => {
  let asked = 0;
  const { sidecar, writes } = await inFrontOf(
    () => {
      asked += 1;
    },
    { directory },
  );
  const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const socket = await openSigned(sidecar.url, {
    method,
    path: '/data/k',
    headers: { ...headers, ...unsigned },
  });
  socket.on('error', () => undefined);
  if (method === 'PUT') socket.write('x');
  const inFlight = async (): Promise<string | undefined> => {
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    return /sts_sidecar_requests_in_flight\{listener="s3"\} (\d+)/.exec(metrics)?.[1];
  };
  await expect.poll(() => asked).toBe(1);
  expect(await inFlight()).toBe('1');
  socket.destroy();
  await expect.poll(inFlight).toBe('0');
  expect(writes).toEqual([]);
});

// It went on for as long as the store took: 60 connections of one caller that left and came back ended the process.
it('the lookup of why a HEAD was refused ends with its client', async () => {
  const questions: ServerResponse[] = [];
  const { sidecar } = await inFrontOf(
    (response) => {
      if (response.req.method === 'HEAD') response.writeHead(400).end();
      else questions.push(response);
    },
    { directory: openDirectory },
  );
  const socket = await openSigned(sidecar.url, { method: 'HEAD', path: '/data/k', headers: {} });
  socket.on('error', () => undefined);
  await expect.poll(() => questions.length).toBe(1);
  expect(questions[0]?.destroyed).toBe(false);
  socket.destroy();
  await expect.poll(() => questions[0]?.destroyed).toBe(true);
});
