import { randomBytes } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { RoleSessionCaller } from '../../src/authenticate/caller.ts';
import { PolicyGatherer, policyPrincipal } from '../../src/authorize/gather-policies.ts';
import { globalKeys } from '../../src/authorize/global-keys.ts';
import { buildDirectory } from '../../src/directory/directory.ts';
import { readPolicyRecord } from '../../src/directory/records.ts';
import { decide } from '../../src/iam/combine.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import {
  account,
  alice,
  roleArn,
  startSidecar,
  type TestSidecar,
  type TestSidecarOptions,
} from '../support/sidecar.ts';

const running: TestSidecar[] = [];
afterEach(async () => {
  for (const sidecar of running.splice(0)) await sidecar.stop();
});

async function start(options: TestSidecarOptions): Promise<TestSidecar> {
  const sidecar = await startSidecar(options);
  running.push(sidecar);
  return sidecar;
}

const assumeAll = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] }`;
const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }`;
const all = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }`;
const readOnly = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }] }`;

const directory = (role: string, policies = ''): string => `
directory:
  policies: { ReadOnly: ${readOnly}${policies} }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: ${assumeAll} }
  roles:
    - { name: worker, trustPolicy: ${trust}, ${role} }
`;

const put = (url: string, credentials: SdkCredentials): Promise<string> =>
  outcome(s3Client(url, credentials).send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })));
const get = (url: string, credentials: SdkCredentials): Promise<string> =>
  outcome(s3Client(url, credentials).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })));

describe('a role session', () => {
  const tokenKey = randomBytes(32).toString('base64');

  it('works at every replica with the same key ring, and dies with its role', async () => {
    const original = await start({ tokenKey, directory: directory(`inlinePolicies: { All: ${all} }`) });
    const replica = await start({ tokenKey, directory: directory(`inlinePolicies: { All: ${all} }`) });
    const recreated = await start({
      tokenKey,
      directory: directory(`roleId: AROARECREATED0000001, inlinePolicies: { All: ${all} }`),
    });
    const changed = await start({ tokenKey, directory: directory(`inlinePolicies: { Read: ${readOnly} }`) });
    const renamed = await start({
      tokenKey,
      directory: directory('').replace('name: worker', 'name: other'),
    });
    const foreign = await start({ directory: directory(`inlinePolicies: { All: ${all} }`) });
    const session = await assume(original.url, alice, 'worker');
    expect(await get(replica.url, session)).toBe('NoSuchBucket 404');
    expect(await get(recreated.url, session)).toBe('InvalidToken 400');
    expect(await get(renamed.url, session)).toBe('InvalidToken 400');
    expect(await get(foreign.url, session)).toBe('InvalidToken 400');
    expect(await put(changed.url, session)).toBe('AccessDenied 403');
    expect(await get(changed.url, session)).toMatch(/ 40[34]$/);
  });

  it('is bounded by the permissions boundary of its role', async () => {
    const sidecar = await start({
      directory: directory(`inlinePolicies: { All: ${all} }, permissionsBoundary: ReadOnly`),
    });
    const session = await assume(sidecar.url, alice, 'worker');
    expect(await put(sidecar.url, session)).toBe('AccessDenied 403');
    await expect(
      s3Client(sidecar.url, session).send(new ListObjectsV2Command({ Bucket: 'data' })),
    ).rejects.toThrow('because no permissions boundary allows the s3:ListBucket action');
  });

  it('loses everything when a managed session policy was removed later', async () => {
    const before = await start({
      tokenKey,
      directory: directory(`inlinePolicies: { All: ${all} }`, `, Gone: ${all}`),
    });
    const after = await start({ tokenKey, directory: directory(`inlinePolicies: { All: ${all} }`) });
    const session = await assume(before.url, alice, 'worker', {
      PolicyArns: [
        { arn: `arn:aws:iam::${account}:policy/Gone` },
        { arn: `arn:aws:iam::${account}:policy/ReadOnly` },
      ],
    });
    expect(await get(before.url, session)).toBe('NoSuchBucket 404');
    expect(await get(after.url, session)).toBe('AccessDenied 403');
  });

  it('loses what a bucket policy grants when a session policy that may deny it was removed', async () => {
    const denied = `{ Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "s3:GetObject", Resource: "*" }] }`;
    const open = `
  bucketPolicies: { data: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::data/*" }] } }
`;
    const before = await start({ tokenKey, directory: directory('', `, Gone: ${denied}`) + open });
    const after = await start({ tokenKey, directory: directory('') + open });
    const [restricted, free] = await Promise.all([
      assume(before.url, alice, 'worker', { PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/Gone` }] }),
      assume(before.url, alice, 'worker'),
    ]);
    expect(await get(before.url, restricted)).toBe('AccessDenied 403');
    expect(await get(after.url, restricted)).toBe('AccessDenied 403');
    expect(await get(after.url, free)).not.toBe('AccessDenied 403');
  });

  it.each(['aws:ResourceTag/tier', 'iam:ResourceTag/tier'])(
    'is not issued against a Deny on the role’s tag (%s)',
    async (key) => {
      const sidecar = await start({
        directory: directory(`tags: { tier: prod }`).replace(
          assumeAll,
          `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }, { Effect: Deny, Action: "sts:AssumeRole", Resource: "*", Condition: { StringEquals: { "${key}": prod } } }] }`,
        ),
      });
      expect(await outcome(assume(sidecar.url, alice, 'worker'))).toBe('AccessDenied 403');
      const allowed = await start({
        directory: directory(`tags: { tier: dev }`).replace(
          assumeAll,
          `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*", Condition: { StringEquals: { "${key}": dev } } }] }`,
        ),
      });
      expect(await outcome(assume(allowed.url, alice, 'worker'))).toBe('allowed');
    },
  );

  it.each(['aws:ResourceAccount', 's3:ResourceAccount'])(
    'obeys a Deny on the account that owns the bucket (%s)',
    async (key) => {
      const policy = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }, { Effect: Deny, Action: "s3:*", Resource: "*", Condition: { StringEquals: { "${key}": "${account}" } } }] }`;
      const sidecar = await start({ directory: directory(`inlinePolicies: { Owned: ${policy} }`) });
      expect(await get(sidecar.url, await assume(sidecar.url, alice, 'worker'))).toBe('AccessDenied 403');
    },
  );
});

describe('regions', () => {
  it('other than the allowed ones are refused', async () => {
    const sidecar = await start({ allowedRegions: '[eu-central-1]' });
    const s3 = s3Client(sidecar.url, alice);
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe(
      'AuthorizationHeaderMalformed 400',
    );
    expect(await outcome(assume(sidecar.url, alice, 'data'))).toMatch(/^RegionDisabled(Exception)? 403$/);
    const there = s3Client(sidecar.url, alice, { config: { region: 'eu-central-1' } });
    expect(await outcome(there.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' })))).toBe(
      'AccessDenied 403',
    );
  });
});

describe('regions in which STS is disabled', () => {
  it('are refused by STS and accepted by S3', async () => {
    const sidecar = await start({ disabledRegions: '[us-east-1, eu-west-1]', region: 'eu-central-1' });
    expect(await outcome(assume(sidecar.url, alice, 'data'))).toMatch(/^RegionDisabled(Exception)? 403$/);
    expect(
      await outcome(s3Client(sidecar.url, alice).send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }))),
    ).toBe('AccessDenied 403');
  });
});

describe('the policies and context of a caller', () => {
  const records = {
    account: { id: account, partition: 'aws' },
    policies: [],
    bucketPolicies: [],
    rootAccessKeys: [],
    users: [],
    roles: [
      {
        name: 'worker',
        path: '/',
        policies: [],
        inlinePolicies: [],
        tags: new Map([
          ['Team', 'blue'],
          ['site', 'north'],
        ]),
        maxSessionDurationSeconds: 3600,
        trustPolicy: readPolicyRecord(
          { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' } },
          'trust',
        ),
      },
    ],
  };
  const gathered = buildDirectory(records);
  const role = gathered.role(roleArn('worker'));
  if (role === undefined) throw new Error('no role');
  const caller: RoleSessionCaller = {
    kind: 'role-session',
    accessKeyId: 'ASIA',
    entity: role,
    arn: `arn:aws:sts::${account}:assumed-role/worker/me`,
    userId: 'AROA:me',
    claims: {
      sessionId: 's',
      accessKeyId: 'ASIA',
      seed: new Uint8Array(32),
      principal: { kind: 'role-session', roleArn: role.arn, roleId: role.roleId, sessionName: 'me' },
      issuedAt: 1_800_000_000,
      expiresAt: 1_800_003_600,
      policyArns: [],
      tags: [{ key: 'TEAM', value: 'red', isTransitive: false }],
    },
  };

  it('are denied everything when the session policy was sealed by a version with another grammar', () => {
    const policy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Unheard":{"a":"b"}}}]}';
    const sets = new PolicyGatherer(gathered).gather({ ...caller, claims: { ...caller.claims, policy } });
    const query = { principal: policyPrincipal(caller), context: new RequestContext() };
    for (const [action, resource] of [
      ['s3:GetObject', 'arn:aws:s3:::data/k'],
      ['sts:GetSessionToken', '*'],
    ] as const)
      expect(decide(sets, { ...query, action, resource })).toMatchObject({
        isExplicitDeny: true,
        policyType: 'session',
      });
  });

  it('hold the role’s tags, overlaid by the session’s, case ignored', () => {
    const raw = toRawRequest({ method: 'GET', target: '/', headers: [['user-agent', 'test']] });
    if (raw === undefined) throw new Error('unreadable');
    const keys = new Map(globalKeys(raw, caller, 'us-east-1'));
    expect(keys.get('aws:PrincipalTag/team')).toBe('red');
    expect(keys.get('aws:PrincipalTag/site')).toBe('north');
    expect(keys.get('aws:PrincipalArn')).toBe(roleArn('worker'));
    expect(keys.get('aws:SourceIp')).toBe('192.0.2.1');
    expect(keys.has('aws:username')).toBe(false);
  });
});
