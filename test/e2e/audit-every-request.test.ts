import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordsIn } from '../support/audit.ts';
import { own, startAudited } from '../support/audited-world.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { alice, TestClock, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
let session: Required<SdkCredentials>;
beforeAll(async () => {
  sidecar = await startAudited(new TestClock());
  session = await assume(sidecar.url, alice, 'teams/data');
  await s3Client(sidecar.url, session).send(new CreateBucketCommand({ Bucket: 'data' }));
  await s3Client(sidecar.url, session).send(
    new PutObjectCommand({ Bucket: 'data', Key: 'large', Body: Buffer.alloc(4_000_000) }),
  );
});
afterAll(() => sidecar.stop());

/** Sends bytes, and hangs up after a while. */
function abort(head: string, afterMs: number): Promise<void> {
  const { port } = new URL(sidecar.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(head));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    setTimeout(() => socket.destroy(), afterMs);
  });
}

/** The number of requests that the metrics have counted. */
async function counted(): Promise<number> {
  const text = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  const samples = text.split('\n').filter((line) => /^sts_sidecar_(?:s3|sts)_requests_total\{/.test(line));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const kinds = [
  'get',
  'denied',
  'put',
  'list',
  'identity',
  'anonymous',
  'unknown',
  'garbage',
  'abortedGet',
  'abortedPut',
  'abortedSts',
] as const;

function send(kind: (typeof kinds)[number], number: number): Promise<unknown> {
  const { url } = sidecar;
  const s3 = s3Client(url, session);
  switch (kind) {
    case 'get':
      return outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: `k${number % 3}` })));
    case 'denied':
      return outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: `secret/${number}` })));
    case 'put':
      return outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key: `k${number % 3}`, Body: 'x' })));
    case 'list':
      return outcome(s3.send(new ListBucketsCommand({})));
    case 'identity':
      return outcome(stsClient(url, session).send(new GetCallerIdentityCommand({})));
    case 'anonymous':
      return fetch(`${url}/data/${number}`).then((response) => response.text());
    case 'unknown':
      return outcome(
        s3Client(url, { ...alice, accessKeyId: 'AKIAUNKNOWN12345678' }).send(new ListBucketsCommand({})),
      );
    case 'garbage':
      return abort('GET / HTTP/1.1\r\nbad header\r\n\r\n', 30);
    case 'abortedGet': {
      const leaving = new AbortController();
      setTimeout(() => leaving.abort(), number % 5);
      const getting = s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'large' }), {
        abortSignal: leaving.signal,
      });
      return getting.then(({ Body }) => Body?.transformToByteArray()).catch(() => undefined);
    }
    case 'abortedPut':
      return abort('PUT /data/k HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nx', number % 20);
    case 'abortedSts':
      return abort('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nAction=', number % 20);
  }
}

it('every one of 1,000 requests has exactly one record, those that are aborted too', async () => {
  const [asked = []] = fc.sample(
    fc.array(fc.constantFrom(...kinds), { minLength: 1_000, maxLength: 1_000 }),
    {
      numRuns: 1,
      seed: 45,
    },
  );
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let number = next++; number < asked.length; number = next++)
      await send(asked[number] ?? 'get', number);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  while (sidecar.logged.length === 0 || (await counted()) !== recordsIn(sidecar.logged).length)
    await sleep(50);
  const records = recordsIn(sidecar.logged);
  expect(new Set(records.map(({ requestID }) => requestID)).size).toBe(records.length);
  expect(new Set(records.map(({ eventID }) => eventID)).size).toBe(records.length);
  const requests = sidecar.logged.filter((line) => line.includes('"msg":"request"'));
  expect(records.length).toBe(requests.length);
  // Some clients have left before their request was read.
  expect(records.some((record) => own(record).aborted === true)).toBe(true);
  const answered = asked.filter((kind) => !kind.startsWith('aborted') && kind !== 'garbage');
  expect(records.length).toBeGreaterThanOrEqual(answered.length);
}, 120_000);
