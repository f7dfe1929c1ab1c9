import { expect } from 'vitest';
import type { AuditRecord } from '../../src/audit/audit-record.ts';
import { auditToStdout, recordsIn } from './audit.ts';
import { account, alice, bob, startSidecar, type TestClock, type TestSidecar } from './sidecar.ts';

/** A key of the account's root. */
export const root = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'secret-of-root-secret-of-root' };

/** Alice may call STS, bob may do nothing, and the role `data` may do everything but what is below `data/secret/`. */
export const auditedDirectory: string = `
directory:
  root: { accessKeys: [{ accessKeyId: ${root.accessKeyId}, secretAccessKey: { env: ROOT } }] }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Sts: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:*", Resource: "*" }] } }
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
  roles:
    - name: data
      path: /teams/
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"] }] }
      inlinePolicies:
        Data:
          Version: "2012-10-17"
          Statement:
            - { Sid: All, Effect: Allow, Action: "s3:*", Resource: "*" }
            - { Sid: NoSecrets, Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::data/secret/*" }
`;

/** Starts a sidecar whose audit trail is in its output. */
export function startAudited(clock: TestClock): Promise<TestSidecar> {
  const variables = { ROOT: root.secretAccessKey };
  return startSidecar({ clock, directory: auditedDirectory, further: auditToStdout, variables });
}

// Each request has a line of the log, too.
const isOfRequest = (line: string): boolean => /"msg":"request"|^\{"eventVersion"/.test(line);

/** The one record of what `act` does, which sends one request. */
export async function recordOf({ logged }: TestSidecar, act: () => Promise<unknown>): Promise<AuditRecord> {
  await expect.poll(() => recordsIn(logged).length * 2).toBe(logged.filter(isOfRequest).length);
  const before = recordsIn(logged).length;
  await act();
  await expect.poll(() => recordsIn(logged).length).toBe(before + 1);
  const record = recordsIn(logged)[before];
  if (record === undefined) throw new Error('there is no record');
  return record;
}

/** What a record has that CloudTrail does not have. */
export const own = (record: AuditRecord): AuditRecord['additionalEventData']['stsSidecar'] =>
  record.additionalEventData.stsSidecar;
