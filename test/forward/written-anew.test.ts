import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RawServer, startRawServer } from '../http-client/raw-server.ts';
import { s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned } from '../support/signed-socket.ts';
import { storeAnswer } from './raw-store.ts';

const names = Array.from({ length: 3_000 }, (_, index) => `a-bucket-with-a-rather-long-name-${index}`);
const list = `<ListAllMyBucketsResult><Buckets>${names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('')}</Buckets></ListAllMyBucketsResult>`;
const patterns = [
  ...Array.from({ length: 200 }, (_, index) => `arn:aws:s3:::*x${index}*`),
  'arn:aws:s3:::*-name-*',
];

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      policies: [Lists]
  policies:
    Lists: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:ListBucket", Resource: ${JSON.stringify(patterns)} }] }
`;

let store: RawServer;
let sidecar: TestSidecar;
/** Called when the store has answered. */
let onAnswered = (): void => undefined;

beforeAll(async () => {
  store = await startRawServer(({ socket }) => {
    socket.write(storeAnswer(200, list));
    onAnswered();
  });
  sidecar = await startSidecar({
    directory,
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
});
afterAll(async () => {
  store.close();
  await sidecar.stop();
});

describe('an answer that takes long to rewrite', () => {
  it('reaches the client whole', async () => {
    const { Buckets = [] } = await s3Client(sidecar.url, alice).send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(names);
  });

  it('is aborted when the client disconnects', async () => {
    const logged = sidecar.logged.length;
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const socket = await openSigned(sidecar.url, { method: 'GET', path: '/', headers });
    socket.on('error', () => undefined);
    onAnswered = () => socket.destroy();
    await vi.waitFor(
      () => expect(sidecar.logged.slice(logged).join('\n')).toContain('"ListBuckets"'),
      20_000,
    );
    onAnswered = () => undefined;
    expect(JSON.parse(sidecar.logged[logged] ?? '')).toMatchObject({ operation: 'ListBuckets', status: 499 });
    const { Buckets = [] } = await s3Client(sidecar.url, alice).send(new ListBucketsCommand({}));
    expect(Buckets).toHaveLength(names.length);
  });
});
