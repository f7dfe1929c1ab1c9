import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { presignWithSmithy, signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

/** Prefix of a bucket's name → the condition under which alice may ask whether it is there. */
const conditions: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  header: { StringEquals: { 's3:authType': 'REST-HEADER' } },
  query: { StringEquals: { 's3:authType': 'REST-QUERY-STRING' } },
  form: { StringEquals: { 's3:authType': 'POST' } },
  v4: { StringEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } },
  v2: { StringEquals: { 's3:signatureversion': 'AWS' } },
  young: { NumericLessThan: { 's3:signatureAge': '60000' } },
  old: { NumericGreaterThan: { 's3:signatureAge': '60000' } },
  ageless: { Null: { 's3:signatureAge': 'true' } },
  unsigned: { StringEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
  signed: { StringNotEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
  tls: { Null: { 's3:TlsVersion': 'false' } },
};
const names = Object.keys(conditions);

const policy = {
  Version: '2012-10-17',
  Statement: names.map((name) => ({
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: `arn:aws:s3:::bucket-${name}`,
    Condition: conditions[name],
  })),
};
const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Own: ${JSON.stringify(policy)} }
`;

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory });
});
afterAll(() => sidecar.stop());

/** The buckets that a request with this signature may ask for. */
async function allowed(
  sign: (path: string, host: string) => Promise<Parameters<typeof toBytes>[0]>,
): Promise<string[]> {
  const { host } = new URL(sidecar.url);
  const found: string[] = [];
  for (const name of names) {
    const answer = summary(await exchange(sidecar.url, toBytes(await sign(`/bucket-${name}`, host))));
    // No bucket exists, so a caller who may ask gets a 404.
    if (answer.startsWith('404')) found.push(name);
    else expect(answer).toBe('403 AccessDenied');
  }
  return found;
}

describe('policies are told how a request was signed', () => {
  it('in its headers', async () => {
    const found = await allowed((path, host) =>
      signWithSmithy({ method: 'GET', path, query: {}, headers: { host } }, alice, { nowMs: Date.now() }),
    );
    expect(found).toEqual(['header', 'v4', 'ageless', 'signed']);
  });

  it('in a URL signed now, and in one signed a while ago', async () => {
    const presigned = (nowMs: number) =>
      allowed((path, host) =>
        presignWithSmithy({ method: 'GET', path, query: {}, headers: { host } }, alice, {
          nowMs,
          expiresIn: 900,
        }),
      );
    expect(await presigned(Date.now())).toEqual(['query', 'v4', 'young', 'unsigned']);
    expect(await presigned(Date.now() - 300_000)).toEqual(['query', 'v4', 'old', 'unsigned']);
  });
});
