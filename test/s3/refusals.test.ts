import { afterAll, beforeAll, expect, it } from 'vitest';
import { account, alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({
    directory: `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
`,
  });
});
afterAll(() => sidecar.stop());

interface Sent {
  readonly method: string;
  readonly path?: string;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

async function send(
  credentials: typeof alice,
  { method, path = '/data/key', ...sent }: Sent,
): Promise<string> {
  const { host } = new URL(sidecar.url);
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...sent.headers };
  const wire = await signWithSmithy({ method, path, query: sent.query ?? {}, headers }, credentials, {
    nowMs: Date.now(),
  });
  return exchange(sidecar.url, toBytes(wire));
}

const noLength = { 'content-length': '0' };
const otherOwner = { 'x-amz-expected-bucket-owner': '111122223333' };
const requests: [string, Sent, string][] = [
  ['an impossible upload, to abort', { method: 'DELETE', query: { uploadId: '../x' } }, '404 NoSuchUpload'],
  ['an impossible upload, to list', { method: 'GET', query: { uploadId: '' } }, '404 NoSuchUpload'],
  [
    'an impossible upload, to add to',
    { method: 'PUT', query: { uploadId: '../x', partNumber: '1' }, headers: noLength },
    '404 NoSuchUpload',
  ],
  [
    'an impossible upload, to complete',
    { method: 'POST', query: { uploadId: '../x' }, headers: noLength },
    '404 NoSuchUpload',
  ],
  ['a bucket of another owner', { method: 'GET', headers: otherOwner }, '403 AccessDenied'],
  [
    'an upload to another owner',
    { method: 'PUT', headers: { ...otherOwner, ...noLength } },
    '403 AccessDenied',
  ],
  [
    'a source of another owner',
    {
      method: 'PUT',
      headers: {
        'x-amz-copy-source': '/data/k',
        'x-amz-source-expected-bucket-owner': '111122223333',
        ...noLength,
      },
    },
    '403 AccessDenied',
  ],
  [
    'another owner, together with the right one',
    {
      method: 'PUT',
      headers: {
        'x-amz-copy-source': '/data/k',
        'x-amz-expected-bucket-owner': account,
        'x-amz-source-expected-bucket-owner': '111122223333',
        ...noLength,
      },
    },
    '403 AccessDenied',
  ],
];

it.each(requests)('%s is refused without asking the store', async (_, sent, expected) => {
  sidecar.seen.length = 0;
  expect(summary(await send(alice, sent))).toBe(expected);
  expect(sidecar.seen).toEqual([]);
});

it.each(requests)('%s reveals nothing to a stranger or to a caller without permission', async (_, sent) => {
  const forged = { ...alice, secretAccessKey: 'x'.repeat(40) };
  expect(summary(await send(forged, sent))).toBe('403 SignatureDoesNotMatch');
  const denied = await send(bob, sent);
  expect(summary(denied)).toBe('403 AccessDenied');
  expect(denied).toContain('Encoded authorization failure message');
});
