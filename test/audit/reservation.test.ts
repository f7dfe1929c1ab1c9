import fc from 'fast-check';
import { expect, it } from 'vitest';
import { auditRecordOf, roomFor } from '../../src/audit/render.ts';
import type { AuditFacts } from '../../src/audit/request-audit.ts';
import { RequestTrace, type TraceFacts } from '../../src/edge/request-trace.ts';

const parts = {
  account: { id: '123456789012', partition: 'aws', region: 'us-east-1' },
  nowMs: 1_800_000_000_000,
};
// Characters of one to four bytes, and those that JSON writes with six.
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('a', '"', '\u0001', 'ü', '€', '\ud83d\ude00', '\ud800'), maxLength });
// Messages are cut at 1,024 characters.
const keys = fc.oneof(
  text(500),
  text(2_000),
  fc.nat(1_024).map((length) => '\u0001'.repeat(length)),
);

const factsOf = (facts: Partial<AuditFacts>): AuditFacts => ({
  host: undefined,
  caller: undefined,
  authenticated: undefined,
  request: undefined,
  deniedItems: [],
  denial: undefined,
  parameters: undefined,
  response: null,
  policyRevision: 'f'.repeat(16),
  ...facts,
});

function bytesOf(facts: AuditFacts, outcome: TraceFacts, asked: TraceFacts): { bytes: number; room: number } {
  const line = (added: TraceFacts, shown: AuditFacts, eventId: string): number => {
    const trace = new RequestTrace('0123456789ABCDEF', 'GET', '2001:db8:0:0:0:0:0:1');
    trace.add({ ...asked, ...added });
    return Buffer.byteLength(
      `${JSON.stringify(auditRecordOf(shown, trace.finish(), { ...parts, eventId }))}\n`,
    );
  };
  const trace = new RequestTrace('', 'GET', '');
  trace.add(asked);
  const before = line({}, { ...facts, denial: undefined, deniedItems: [], response: null }, '');
  return { bytes: line(outcome, facts, '0'.repeat(36)), room: roomFor(before, facts, trace.finish()) };
}

it('the record of an S3 request never needs more room than was reserved for it', () => {
  const outcomes = fc.record({ cause: text(2_000), policy: text(300), storeId: text(400), key: keys });
  fc.assert(
    fc.property(outcomes, ({ cause, policy, storeId, key }) => {
      const denial = `User: arn:aws:sts::123456789012:assumed-role/${'r'.repeat(64)}/${'s'.repeat(64)} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::bucket/${key}" because no identity-based policy allows the s3:GetObject action`;
      const { bytes, room } = bytesOf(
        factsOf({ denial, host: 'h'.repeat(260) }),
        {
          status: 403,
          errorCode: 'AccessDenied',
          errorDetail: cause,
          upstreamRequestId: storeId.replaceAll(/[^a-z]/g, 'x'),
          decision: {
            decision: 'deny',
            policyType: 'permissionsBoundary',
            matchedPolicy: policy.replaceAll(/[^a-z]/g, 'p'),
            matchedSid: policy.replaceAll(/[^a-z]/g, 's'),
            isEnforced: false,
            durationUs: 1,
          },
          bytesIn: Number.MAX_SAFE_INTEGER,
          bytesOut: Number.MAX_SAFE_INTEGER,
        },
        { service: 's3', operation: 'GetObject', bucket: 'bucket', key },
      );
      expect(bytes).toBeLessThanOrEqual(room);
    }),
    { numRuns: 500 },
  );
});

it('nor does the record of an STS call', () => {
  fc.assert(
    fc.property(text(255), text(2_000), (subject, cause) => {
      const response = {
        credentials: { accessKeyId: 'A'.repeat(20), expiration: 'Nov 30, 2026, 11:11:11 PM' },
        subjectFromWebIdentityToken: subject,
        audience: subject,
        provider: subject,
        assumedRoleUser: { arn: 'a'.repeat(200), assumedRoleId: 'a'.repeat(100) },
      };
      const federatedUser = {
        principalId: `${'p'.repeat(300)}:${subject}`,
        userName: subject,
        identityProvider: 'p'.repeat(300),
      };
      const { bytes, room } = bytesOf(
        factsOf({ response, parameters: { roleArn: 'r'.repeat(2_048) } }),
        { status: 200, errorDetail: cause, federatedUser, issuedSessionId: 'i'.repeat(22) },
        { service: 'sts', operation: 'AssumeRoleWithWebIdentity' },
      );
      expect(bytes).toBeLessThanOrEqual(room);
    }),
    { numRuns: 500 },
  );
});
