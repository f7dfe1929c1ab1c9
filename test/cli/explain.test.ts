import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { sealAuthorizationMessage } from '../../src/tokens/authorization-message.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { assume, s3Client } from '../support/sdk.ts';
import { account, alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { type Execution, execute, file, missingFile, removeFiles } from './command.ts';

afterAll(removeFiles);

const tokenKey = randomBytes(32).toString('base64');
const configuration = (key = tokenKey, id = 'k1'): string => `
apiVersion: sts-sidecar/v1
backend: { endpoint: "http://127.0.0.1:9001", credentials: { accessKeyId: KEY, secretAccessKey: a-literal-secret } }
account: { id: "${account}" }
tokens: { sealWith: ${id}, keys: [{ id: ${id}, secret: ${key} }] }
directory: {}
`;
const directory = `
directory:
  policies:
    ReadReports:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::reports/*" }
        - { Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::reports", Condition: { StringLike: { "s3:prefix": "blue/*" } } }
        - { Sid: NoDeletes, Effect: Deny, Action: "s3:DeleteObject", Resource: "*" }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:*", Resource: "*" }] } }
  roles:
    - { name: reader, policies: [ReadReports], trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" } } }
`;

let sidecar: TestSidecar;
let s3: S3Client;
/** The error of a listing as the SDK reports it, and as it came. */
let refusal: string;
let xml: string;
beforeAll(async () => {
  sidecar = await startSidecar({ directory, tokenKey });
  s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
  refusal = await denied(s3.send(new ListObjectsV2Command({ Bucket: 'reports', Prefix: 'red/' })));
  xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>${refusal.replaceAll('"', '&quot;')}</Message><Resource>/reports</Resource></Error>`;
});
afterAll(() => sidecar.stop());

function denied(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error ? error.message : 'thrown'),
  );
}

const config = file('explain.yaml', configuration());
const explain = (text: string, ...more: readonly string[]): Promise<Execution> =>
  execute('explain', '--config', config, ...more, text);
const messageOf = (error: string): string => error.split('Encoded authorization failure message: ')[1] ?? '';

const nearMiss = 'Statement ReadReports[1]: StringLike s3:prefix `red/` does not match `blue/*`';

describe('explain', () => {
  it('says why a real request was denied', async () => {
    const { code, data, prose } = await explain(messageOf(refusal));
    expect([code, prose]).toEqual([0, '']);
    const lines = data.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'denied: s3:ListBucket on arn:aws:s3:::reports',
      expect.stringMatching(
        /^ {2}principal {2}arn:aws:sts::123456789012:assumed-role\/reader\/test \(AROA.*:test\)$/,
      ),
      '  reason     because no identity-based policy allows the s3:ListBucket action',
      `  near miss  ${nearMiss}`,
    ]);
    expect(data).toMatch(/^ {2}request {4}[0-9A-Z]+ at 20\d\d-.*Z$/m);
    expect(data).toMatch(/^ {4}s3:prefix +red\/$/m);
  });

  it('names the statement that denied', async () => {
    const error = await denied(s3.send(new DeleteObjectCommand({ Bucket: 'reports', Key: 'k' })));
    const { data } = await explain(error);
    expect(data).toContain('  reason     with an explicit deny in an identity-based policy');
    expect(data).toContain(
      `  denied by  arn:aws:iam::${account}:policy/ReadReports Statement[2] (Sid "NoDeletes")`,
    );
    expect(data).not.toContain('near miss');
  });

  it.each<[string, () => string]>([
    ['the whole error of an SDK', () => `AccessDenied: ${refusal}`],
    ['the XML body', () => xml],
    ['a line of JSON', () => JSON.stringify({ error: refusal, at: 1 })],
    ['a sentence that goes on', () => `it said "${refusal}". What now?`],
    [
      'a session token and a message',
      () => `${'a.'.repeat(3)} eyJhIjoxfQ..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA ${refusal}`,
    ],
  ])('finds the message in %s', async (_, text) => {
    const { code, data } = await explain(text());
    expect(code).toBe(0);
    expect(data).toContain(nearMiss);
  });

  it('prints the document that DecodeAuthorizationMessage answers', async () => {
    const { code, data } = await explain(refusal, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(data)).toMatchObject({
      allowed: false,
      context: { action: 's3:ListBucket' },
      denial: { nearMiss: { statementIndex: 1, reason: nearMiss } },
    });
  });

  it('opens a message of any age, and makes what the caller chose safe to show', async () => {
    const ring = createKeyRing([{ id: 'k1', secret: new Secret(tokenKey) }], 'k1');
    const sealed = sealAuthorizationMessage(
      {
        principal: { arn: 'arn:aws:iam::123456789012:user/anna', userId: 'AIDA' },
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::b/\u001b[2J\n  denied: nothing',
        isExplicitDeny: false,
        policyType: 'none',
        statement: undefined,
        context: [['aws:UserAgent', '\u001b]0;title\u0007\u202e']],
        requestId: 'R1',
        deniedAtMs: Date.parse('2026-01-01T00:00:00Z'),
      },
      ring,
    );
    const { code, data } = await explain(sealed);
    expect(code).toBe(0);
    expect(data).toContain('denied: s3:GetObject on arn:aws:s3:::b/\\u{1b}[2J\\u{a}  denied: nothing');
    expect(data).toContain('because the authorization decision could not be made');
    expect(data).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it.each<[string, () => string, string]>([
    ['no message', () => 'AccessDenied: Access Denied', 'there is no sealed message in the text'],
    ['nothing', () => '', 'there is no sealed message in the text'],
    ['half a message', () => messageOf(refusal).slice(0, -40), 'not the whole of it'],
    ['a message without its end', () => messageOf(refusal).slice(0, -4), 'not the whole of one'],
    [
      'a changed message',
      () => messageOf(refusal).replace(/.{20}$/, 'A'.repeat(20)),
      'not a message that a key',
    ],
  ])('exits 1 for %s', async (_, text, told) => {
    const { code, data, prose } = await explain(text());
    expect([code, data]).toEqual([1, '']);
    expect(prose).toContain(told);
  });

  it('exits 1 with another key ring, and says what to do', async () => {
    const other = randomBytes(32).toString('base64');
    const same = await execute('explain', '--config', file('same.yaml', configuration(other)), refusal);
    expect([same.code, same.prose]).toEqual([1, expect.stringContaining('not a message that a key')]);
    const named = await execute('explain', '--config', file('new.yaml', configuration(other, 'k2')), refusal);
    expect([named.code, named.prose]).toEqual([1, expect.stringContaining('tokens.keys does not name')]);
  });

  it('exits 2 for a configuration that is wrong or missing, and without a message', async () => {
    expect((await execute('explain', '--config', missingFile, refusal)).code).toBe(2);
    expect((await execute('explain', '--config', file('wrong.yaml', 'apiVersion: 2'), refusal)).code).toBe(2);
    expect((await execute('explain', refusal)).code).toBe(2);
    expect((await execute('explain', '--config', config)).code).toBe(2);
  });

  it('has examples in its help', async () => {
    const { code, data } = await execute('explain', '--help');
    expect([code, data]).toEqual([0, expect.stringContaining('Examples:')]);
  });
});
