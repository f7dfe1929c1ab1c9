import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Own:
          Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: "s3:*", Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }
            - { Effect: Deny, Action: "s3:ListBucket", Resource: "*", Condition: { StringLike: { "s3:prefix": "secret/*" } } }
            - { Effect: Deny, Action: "s3:PutObject", Resource: "*", Condition: { StringLike: { "s3:x-amz-copy-source": "data/secret/*" } } }
`;

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await store.send(new CreateBucketCommand({ Bucket: 'data' }));
  await store.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' }));
});
afterAll(() => sidecar.stop());
beforeEach(() => void sidecar.seen.splice(0));

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send({ method, path, query = {}, headers = {} }: Sent): Promise<string> {
  const { host } = new URL(sidecar.url);
  const length: Record<string, string> = method === 'PUT' ? { 'content-length': '0' } : {};
  const wire = await signWithSmithy(
    {
      method,
      path,
      query: { ...query },
      headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...length, ...headers },
    },
    alice,
    { nowMs: Date.now() },
  );
  return summary(await exchange(sidecar.url, toBytes(wire)));
}

describe('ids that a store could take for paths', () => {
  it.each([
    ['DELETE', { uploadId: '../../../secret' }],
    ['DELETE', { uploadId: '..' }],
    ['DELETE', { uploadId: '' }],
    ['GET', { uploadId: '../../other/x' }],
    ['PUT', { uploadId: '..\\..\\x', partNumber: '1' }],
    ['DELETE', { uploadId: Buffer.from('x.../folder-of-another-key').toString('base64url') }],
    ['GET', { uploadId: 'pem.2~KnWZ4tVGkLC38Ei4hiUjpVpMSbvuYi0' }],
  ])('are uploads that do not exist: %s %j', async (method, query) => {
    expect(await send({ method, path: '/data/k', query })).toBe('404 NoSuchUpload');
    expect(sidecar.seen).toEqual([]);
  });

  it.each([
    ['GET', { versionId: '' }],
    ['GET', { versionId: '../../other/x' }],
    ['DELETE', { versionId: '../../../secret/plan' }],
    ['DELETE', { versionId: ' ' }],
    ['GET', { versionId: '0F7E2A2E-1111-4A4A-8B8B-0123456789AB' }],
    ['GET', { versionId: '{0f7e2a2e-1111-4a4a-8b8b-0123456789ab}' }],
  ])('never reach it: %s %j', async (method, query) => {
    expect(await send({ method, path: '/data/k', query })).toBe('400 InvalidArgument');
    expect(sidecar.seen).toEqual([]);
  });
});

describe('prefixes that a store could take for paths', () => {
  it.each(['/secret/', '//secret/', 'x/../secret/', '\\secret\\', './secret/', 'secret//a'])(
    'do not bypass a Deny: %s',
    async (prefix) => {
      expect(await send({ method: 'GET', path: '/data', query: { 'list-type': '2', prefix } })).toBe(
        '403 AccessDenied',
      );
      expect(sidecar.seen).toEqual([]);
    },
  );

  it.each(['../other/', 'a/../../other', '..\\other'])('do not climb out: %s', async (prefix) => {
    expect(await send({ method: 'GET', path: '/data', query: { prefix } })).toBe('400 InvalidArgument');
    expect(sidecar.seen).toEqual([]);
  });

  it.each(['', '/', 'a//b', 'a/../b', 'a\\b'])('are used where every name is allowed: %j', async (prefix) => {
    expect(await send({ method: 'GET', path: '/data', query: { 'list-type': '2', prefix } })).toBe('200');
  });
});

describe('sources of copies that a store could take for paths', () => {
  it.each(['data/public/../secret/plan', 'data//secret/plan', 'data/secret\\plan', '/data/./secret/plan'])(
    'do not bypass a condition: %s',
    async (source) => {
      const headers = { 'x-amz-copy-source': source };
      expect(await send({ method: 'PUT', path: '/data/copy', headers })).toBe('403 AccessDenied');
      expect(sidecar.seen.filter(({ method }) => method === 'PUT')).toEqual([]);
    },
  );
});
