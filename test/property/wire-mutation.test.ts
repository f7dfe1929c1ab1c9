import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anyMutation, changeOneByte, meaning } from '../support/mutations.ts';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
let session: SdkCredentials;

beforeAll(async () => {
  sidecar = await startSidecar();
  session = await assume(sidecar.url, alice, 'data');
  const s3 = s3Client(sidecar.url, session);
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'a b', Body: 'content' }));
});
afterAll(() => sidecar.stop());

it('keeps a request with any changed byte away from the store', async () => {
  const { host } = new URL(sidecar.url);
  const original = {
    method: 'GET',
    path: '/data/a%20b',
    headers: { host, 'x-amz-meta-note': 'a note', range: 'bytes=0-3' },
  };
  const sign = () =>
    signWithSmithy({ ...original, query: { partNumber: '1' } }, session, { nowMs: Date.now() });
  const unchanged = sidecar.seen.length;
  await exchange(sidecar.url, toBytes(await sign()));
  expect(sidecar.seen.length).toBe(unchanged + 1);
  let equivalent = 0;
  await fc.assert(
    fc.asyncProperty(anyMutation, async (mutation) => {
      const wire = await sign();
      const changed = changeOneByte(wire, mutation);
      const before = sidecar.seen.length;
      const answer = await exchange(sidecar.url, toBytes(changed));
      if (sidecar.seen.length === before) {
        expect(summary(answer)).toMatch(/^[45]\d\d/);
        return;
      }
      expect(meaning(changed)).toBe(meaning(wire));
      equivalent += 1;
    }),
    { numRuns: 400 },
  );
  expect(equivalent).toBeLessThan(10);
});
