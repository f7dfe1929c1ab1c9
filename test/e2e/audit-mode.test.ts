import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketLoggingCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { account, alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const allow = (resource: string): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "${resource}" }] }`;
const role = (name: string, further = ''): string => `{ name: ${name}, trustPolicy: ${trust}${further} }`;
const deny = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/open/*" }, { Sid: No, Effect: Deny, Action: "s3:GetObject", Resource: "arn:aws:s3:::data/closed/*" }] }`;
const broken = `{ Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "s3:*", Resource: "*", Condition: { IpAddress: { "aws:UserAgent": "10.0.0.0/8" } } }] }`;

const directory = `
directory:
  policies: { OnlyOpen: ${allow('arn:aws:s3:::data/open/*')} }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
  roles:
    - ${role('watched', ', enforcement: audit')}
    - ${role('strict', ', enforcement: enforce')}
    - ${role('inheriting')}
    - ${role('bounded', ', permissionsBoundary: OnlyOpen, enforcement: audit')}
    - ${role('denied', `, inlinePolicies: { Own: ${deny} }, enforcement: audit`)}
    - ${role('broken', `, inlinePolicies: { Own: ${broken} }, enforcement: audit`)}
    - { name: untrusting, enforcement: audit, trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:user/bob" }, Action: "sts:AssumeRole" }] } }
  bucketPolicies:
    data: { Version: "2012-10-17", Statement: [{ Effect: Deny, Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::data/frozen/*" }] }
`;

const sidecars = new Map<string, TestSidecar>();
const named = (mode: string): TestSidecar => {
  const sidecar = sidecars.get(mode);
  if (sidecar === undefined) throw new Error(`no sidecar enforces ${mode}`);
  return sidecar;
};

async function get(mode: string, name: string, Key: string, input: object = {}): Promise<string> {
  const { url } = named(mode);
  const credentials = name === 'bob' ? bob : await assume(url, alice, name, input);
  return outcome(s3Client(url, credentials).send(new GetObjectCommand({ Bucket: 'data', Key })));
}

beforeAll(async () => {
  for (const mode of ['enforce', 'audit']) {
    const sidecar = await startSidecar({ directory, further: `authorization: { enforcement: ${mode} }` });
    sidecars.set(mode, sidecar);
    const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
    await store.send(new CreateBucketCommand({ Bucket: 'data' }));
    for (const Key of ['open/k', 'closed/k', 'frozen/k', 'k'])
      await store.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' }));
  }
});
afterAll(async () => {
  for (const sidecar of sidecars.values()) await sidecar.stop();
});

describe('enforcement: audit', () => {
  it.each([
    ['enforce', 'watched', 'allowed'],
    ['enforce', 'inheriting', 'AccessDenied 403'],
    ['enforce', 'bob', 'AccessDenied 403'],
    ['audit', 'inheriting', 'allowed'],
    ['audit', 'bob', 'allowed'],
    ['audit', 'strict', 'AccessDenied 403'],
  ])('globally %s: %s, allowed nothing by any policy, is %s', async (mode, name, expected) => {
    expect(await get(mode, name, 'k')).toBe(expected);
  });

  it.each([
    ['an explicit deny of an identity policy', 'denied', 'closed/k'],
    ['an explicit deny of a bucket policy', 'watched', 'frozen/k'],
    ['a permissions boundary', 'bounded', 'k'],
    ['a decision that fails', 'broken', 'k'],
  ])('never relaxes %s', async (_, name, key) => {
    expect(await get('audit', name, key)).toBe('AccessDenied 403');
  });

  it('never relaxes a session policy', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/open/*' }],
    });
    expect(await get('audit', 'watched', 'k', { Policy })).toBe('AccessDenied 403');
    expect(await get('audit', 'watched', 'open/k', { Policy })).toBe('allowed');
  });

  it('never relaxes a delivery, where a Deny of a part would be missed', async () => {
    const { url } = named('audit');
    const s3 = s3Client(url, await assume(url, alice, 'denied'));
    const LoggingEnabled = { TargetBucket: 'data', TargetPrefix: '' };
    const command = new PutBucketLoggingCommand({
      Bucket: 'data',
      BucketLoggingStatus: { LoggingEnabled },
    });
    expect(await outcome(s3.send(command))).toBe('AccessDenied 403');
  });

  it('never relaxes trust, authentication or classification', async () => {
    const { url } = named('audit');
    expect(await outcome(assume(url, alice, 'untrusting'))).toBe('AccessDenied 403');
    expect(await outcome(assume(url, bob, 'watched'))).toBe('AccessDenied 403');
    const forged = { ...bob, secretAccessKey: 'guessed' };
    expect(
      await outcome(s3Client(url, forged).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }))),
    ).toBe('SignatureDoesNotMatch 403');
    expect((await fetch(`${url}/data/k`)).status).toBe(403);
  });

  it('records what it let pass as a denial that was not enforced', async () => {
    const { logged, adminUrl } = named('audit');
    await get('audit', 'inheriting', 'k');
    const record: unknown = JSON.parse(logged.findLast((line) => line.includes('"GetObject"')) ?? '');
    expect(record).toMatchObject({ status: 200, decision: 'deny' });
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /authz_decisions_total\{operation="GetObject",decision="deny",policy_type="identity",enforced="false"\} [1-9]/,
    );
  });
});
