import { CreateBucketCommand } from '@aws-sdk/client-s3';
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
            - { Effect: Allow, Action: ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }
            - { Effect: Deny, Action: "s3:ListBucket", Resource: "*", Condition: { StringNotLike: { "s3:prefix": "ok*" } } }
            - { Effect: Deny, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/secret" }
`;

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
  await s3Client(sidecar.storeUrl, sidecar.storeCredentials).send(
    new CreateBucketCommand({ Bucket: 'data' }),
  );
});
afterAll(() => sidecar.stop());
beforeEach(() => void sidecar.seen.splice(0));

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send({ method = 'GET', path, query = {}, headers = {} }: Sent): Promise<string> {
  const { host } = new URL(sidecar.url);
  const wire = await signWithSmithy(
    {
      method,
      path,
      query: { ...query },
      headers: { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
    },
    alice,
    { nowMs: Date.now() },
  );
  return summary(await exchange(sidecar.url, toBytes(wire)));
}

describe('a request that says one thing to policies and another to the store', () => {
  it('lists by the prefix that was decided on, not by one that only looks alike', async () => {
    expect(await send({ path: '/data', query: { 'x-prefix': 'ok', prefix: 'secret' } })).toBe(
      '403 AccessDenied',
    );
    expect(await send({ path: '/data', query: { Prefix: 'ok', prefix: 'ok' } })).toBe('400 InvalidArgument');
    expect(await send({ path: '/data', query: { 'x-prefix': 'secret', prefix: 'ok' } })).toBe('200');
    expect(sidecar.seen.map(({ target }) => target)).toEqual(['/data?prefix=ok']);
  });

  it.each([
    { path: '/data/secret', query: { prefix: 'ok' } },
    { path: '/data/k', query: { acl: '', uploadId: 'u' } },
    {
      method: 'PUT',
      path: '/data/k',
      query: { retention: '' },
      headers: { 'x-amz-copy-source': '/data/secret' },
    },
    { path: '/data%2Fsecret', query: {} },
  ])('is refused: %j', async (sent) => {
    expect(await send(sent)).toMatch(/^(?:400|403|501) /);
    expect(sidecar.seen).toEqual([]);
  });

  it('cannot have ten thousand parameters', async () => {
    const query = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`p${index}`, '']));
    expect(await send({ path: '/data', query })).toBe('400 InvalidArgument');
  });

  it('cannot have a token of 20 KB', async () => {
    const headers = { 'x-amz-security-token': 'a'.repeat(20_000) };
    expect(await send({ path: '/data/k', headers })).toMatch(/^4\d\d /);
    expect(sidecar.seen).toEqual([]);
  });
});
