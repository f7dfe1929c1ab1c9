import { describe, expect, it } from 'vitest';
import type { Caller, RoleSessionCaller } from '../../src/authenticate/caller.ts';
import { globalKeys } from '../../src/authorize/global-keys.ts';
import { Secret } from '../../src/core/secret.ts';
import { buildDirectory } from '../../src/directory/directory.ts';
import { readPolicyRecord } from '../../src/directory/records.ts';
import { toRawRequest } from '../support/raw-requests.ts';

const account = '123456789012';
const trust = { Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' } };
const entity = { path: '/team/', policies: [], inlinePolicies: [], tags: new Map([['team', 'blue']]) };
const directory = buildDirectory({
  account: { id: account, partition: 'aws' },
  policies: [],
  bucketPolicies: [],
  rootAccessKeys: [],
  users: [
    {
      ...entity,
      name: 'alice',
      userId: 'AIDAALICE0000000',
      accessKeys: [{ accessKeyId: 'AKIAALICE00000000000', secretAccessKey: new Secret('s') }],
    },
  ],
  roles: [
    {
      ...entity,
      name: 'worker',
      roleId: 'AROAWORKER000000',
      maxSessionDurationSeconds: 3600,
      trustPolicy: readPolicyRecord(trust, 'trust'),
    },
  ],
});

const issuedAt = Date.UTC(2026, 10, 22, 12) / 1000;

function userCaller(): Caller {
  const user = directory.accessKey('AKIAALICE00000000000')?.owner;
  if (user?.kind !== 'user') throw new Error('no user');
  return {
    kind: 'user',
    accessKeyId: 'AKIAALICE00000000000',
    entity: user,
    arn: user.arn,
    userId: user.userId,
  };
}

function sessionCaller(claims: Partial<RoleSessionCaller['claims']> = {}): Caller {
  const role = directory.role(`arn:aws:iam::${account}:role/team/worker`);
  if (role === undefined) throw new Error('no role');
  return {
    kind: 'role-session',
    accessKeyId: 'ASIA',
    entity: role,
    arn: `arn:aws:sts::${account}:assumed-role/worker/me`,
    userId: `${role.roleId}:me`,
    claims: {
      sessionId: 's',
      accessKeyId: 'ASIA',
      seed: new Uint8Array(32),
      principal: { kind: 'role-session', roleArn: role.arn, roleId: role.roleId, sessionName: 'me' },
      issuedAt,
      expiresAt: issuedAt + 3600,
      policyArns: [],
      tags: [],
      ...claims,
    },
  };
}

function keysOf(
  caller: Caller,
  headers: readonly (readonly [string, string])[] = [],
): ReadonlyMap<string, unknown> {
  const raw = toRawRequest({ method: 'GET', target: '/', headers: headers.map(([n, v]) => [n, v]) });
  if (raw === undefined) throw new Error('unreadable');
  const received = { ...raw, receivedAtMs: (issuedAt + 90) * 1000 + 700 };
  const entries = globalKeys(received, caller, 'eu-west-1');
  const keys = new Map<string, unknown>(entries);
  expect(keys.size).toBe(entries.length);
  return keys;
}

const ofEveryRequest = {
  'aws:CurrentTime': '2026-11-22T12:01:30Z',
  'aws:EpochTime': String(issuedAt + 90),
  'aws:SecureTransport': 'false',
  'aws:SourceIp': '192.0.2.1',
  'aws:RequestedRegion': 'eu-west-1',
  'aws:ViaAWSService': 'false',
  'aws:PrincipalIsAWSService': 'false',
  'aws:PrincipalAccount': account,
  'aws:PrincipalTag/team': 'blue',
};
const ofUser = {
  ...ofEveryRequest,
  'aws:PrincipalArn': `arn:aws:iam::${account}:user/team/alice`,
  'aws:PrincipalType': 'User',
  'aws:userid': 'AIDAALICE0000000',
  'aws:username': 'alice',
};
const ofSession = {
  ...ofEveryRequest,
  'aws:PrincipalArn': `arn:aws:iam::${account}:role/team/worker`,
  'aws:PrincipalType': 'AssumedRole',
  'aws:userid': 'AROAWORKER000000:me',
  'aws:TokenIssueTime': '2026-11-22T12:00:00Z',
  'aws:MultiFactorAuthPresent': 'false',
};

/** Keys that exist at AWS and can never exist here, with the reason. */
const never: Readonly<Record<string, string>> = {
  'aws:AssumedRoot': 'there are no member accounts',
  'aws:CalledVia': 'no service calls on behalf of another',
  'aws:PrincipalOrgID': 'there is no organisation',
  'aws:PrincipalOrgPaths': 'there is no organisation',
  'aws:SourceAccount': 'no service calls on behalf of an account',
  'aws:SourceArn': 'no service calls on behalf of a resource',
  'aws:SourceOrgID': 'there is no organisation',
  'aws:SourceVpc': 'there are no VPC endpoints',
  'aws:SourceVpce': 'there are no VPC endpoints',
  'aws:VpcSourceIp': 'there are no VPC endpoints',
};

describe('the aws:* keys of a request', () => {
  it('of a user are these and no others', () => {
    expect(Object.fromEntries(keysOf(userCaller()))).toEqual(ofUser);
  });

  it('of a session are these and no others', () => {
    expect(Object.fromEntries(keysOf(sessionCaller()))).toEqual(ofSession);
  });

  it('hold the age of MFA only for a session with MFA', () => {
    expect(Object.fromEntries(keysOf(sessionCaller({ mfaAuthenticatedAt: issuedAt - 10 })))).toEqual({
      ...ofSession,
      'aws:MultiFactorAuthPresent': 'true',
      'aws:MultiFactorAuthAge': '100',
    });
    // Long-term keys never carry the fact: BoolIfExists and Null tell them apart (IAM, "MFA-protected API access").
    expect(keysOf(userCaller()).has('aws:MultiFactorAuthPresent')).toBe(false);
  });

  it('hold the source identity and the identity provider of a session', () => {
    const provider = `arn:aws:iam::${account}:oidc-provider/login.example.com/a`;
    const federation = { provider, subject: 'sub-1', audience: 'app' };
    expect(Object.fromEntries(keysOf(sessionCaller({ sourceIdentity: 'anna', federation })))).toEqual({
      ...ofSession,
      'aws:SourceIdentity': 'anna',
      'aws:FederatedProvider': provider,
      'login.example.com/a:sub': 'sub-1',
      'login.example.com/a:aud': 'app',
    });
  });

  it('hold two headers and no others', () => {
    const headers = [
      ['user-agent', 'test/1'],
      ['referer', 'https://a.example/'],
      ['x-forwarded-for', '10.0.0.1'],
      ['aws:sourceip', '10.0.0.1'],
      ['x-amz-mfa', 'serial 123456'],
      ['aws-principaltag-team', 'red'],
    ] as const;
    expect(Object.fromEntries(keysOf(userCaller(), headers))).toEqual({
      ...ofUser,
      'aws:UserAgent': 'test/1',
      'aws:Referer': 'https://a.example/',
    });
  });

  it('never hold a key that cannot be known here', () => {
    for (const caller of [userCaller(), sessionCaller({ mfaAuthenticatedAt: issuedAt })]) {
      const keys = keysOf(caller, [['user-agent', 'x']]);
      for (const [key, reason] of Object.entries(never))
        expect([key, reason, keys.has(key)]).toContain(false);
    }
  });
});
