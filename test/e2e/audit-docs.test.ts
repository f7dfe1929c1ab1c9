import { readFile } from 'node:fs/promises';
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditRecord, auditRecord } from '../../src/audit/audit-record.ts';
import { recordOf, startAudited } from '../support/audited-world.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, TestClock, type TestSidecar } from '../support/sidecar.ts';

let sidecar: TestSidecar;
let examples: AuditRecord[];
let session: Required<SdkCredentials>;
beforeAll(async () => {
  const page = await readFile(new URL('../../docs/audit.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']): unknown =>
    JSON.parse(text),
  );
  examples = blocks.map((block) => auditRecord.parse(block));
  sidecar = await startAudited(new TestClock());
  session = await assume(sidecar.url, alice, 'teams/data', { RoleSessionName: 'app' });
  await s3Client(sidecar.url, session).send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => sidecar.stop());

/** What is another one in every run. */
const changing =
  /^(?:eventTime|requestID|eventID|x-amz-id-2|accessKeyId|principalId|assumedRoleId|creationDate|expiration|sessionId|issuedSessionId|storeRequestId|policyRevision|Host|userAgent)$/;
const steady = (record: unknown): unknown =>
  JSON.parse(JSON.stringify(record), (name, value: unknown) => (changing.test(name) ? `a ${name}` : value));

describe('docs/audit.md', () => {
  it('shows the record of a role that is assumed', async () => {
    const record = await recordOf(sidecar, () =>
      assume(sidecar.url, alice, 'teams/data', { RoleSessionName: 'app', DurationSeconds: 900 }),
    );
    expect(steady(examples[0])).toEqual(steady(record));
  });

  it('shows the record of a request that is denied', async () => {
    const s3 = s3Client(sidecar.url, session);
    const record = await recordOf(sidecar, () =>
      outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'secret/report.csv' }))),
    );
    expect(steady(examples[1])).toEqual(steady(record));
  });
});
