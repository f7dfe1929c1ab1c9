// The audit record of one finished request, for micro.mjs.
import { fromBuild } from './build.mjs';

const { auditRecordOf } = await fromBuild('audit/render.js');
const { RequestTrace } = await fromBuild('edge/request-trace.js');

const arn = 'arn:aws:sts::123456789012:assumed-role/bench/session';
const caller = {
  kind: 'role-session',
  accessKeyId: 'ASIABENCHBENCHBENCH1',
  arn,
  userId: 'AROABENCHBENCHBENCH1:session',
  entity: {
    kind: 'role',
    name: 'bench',
    arn: 'arn:aws:iam::123456789012:role/bench',
    roleId: 'AROABENCHBENCHBENCH1',
  },
  claims: { issuedAt: 1_767_225_600 },
};
const request = {
  operation: { name: 'GetObject', scope: 'object' },
  bucket: 'data',
  key: 'folder/key-1',
  parameters: new Map(),
  headers: new Map([['range', 'bytes=0-1023']]),
};
const facts = {
  host: 'bench.example',
  caller,
  authenticated: { form: 'header', region: 'us-east-1' },
  request,
  deniedItems: [],
  denial: undefined,
  parameters: undefined,
  response: null,
  policyRevision: '0123456789abcdef',
};
const trace = new RequestTrace('0123456789ABCDEF', 'GET', '192.0.2.1');
trace.add({
  service: 's3',
  operation: 'GetObject',
  bucket: 'data',
  key: 'folder/key-1',
  principalArn: arn,
  accessKeyId: caller.accessKeyId,
  userAgent: 'aws-sdk-js/3.1176.0 ua/2.1 os/linux#6.18 lang/js md/nodejs#24.0.0 api/s3#3.1174.0',
  status: 200,
  decision: {
    decision: 'allow',
    policyType: 'identity',
    matchedPolicy: 'Data',
    matchedSid: 'All',
    isEnforced: true,
    durationUs: 1,
  },
});
const record = trace.finish();
const parts = {
  account: { id: '123456789012', partition: 'aws', region: 'us-east-1' },
  eventId: 'd81c1d4e-5a0d-4f9c-9f0c-5b8f0b1f6a11',
  nowMs: 1_767_225_600_000,
};

/** One audit record as a line. */
export function writeAuditRecord() {
  return Buffer.byteLength(`${JSON.stringify(auditRecordOf(facts, record, parts))}\n`);
}
