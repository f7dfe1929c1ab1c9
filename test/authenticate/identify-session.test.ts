import { describe, expect, it } from 'vitest';
import { identifySession } from '../../src/authenticate/identify-session.ts';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import { buildDirectory } from '../../src/directory/directory.ts';
import { readPolicyRecord } from '../../src/directory/records.ts';
import type { Role } from '../../src/directory/role.ts';
import type { RoleSessionPrincipal, SessionClaims } from '../../src/tokens/session-claims.ts';

const account = { id: '123456789012', partition: 'aws' };
const allow = (action: string) =>
  readPolicyRecord(
    { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] },
    'identity',
  );
const trustPolicy = readPolicyRecord(
  { Statement: { Effect: 'Allow', Principal: { AWS: account.id }, Action: 'sts:AssumeRole' } },
  'trust',
);

const directory = buildDirectory({
  account,
  policies: [
    { name: 'Read', ...allow('s3:GetObject') },
    { name: 'Everything', ...allow('*') },
  ],
  users: [],
  roles: [
    {
      name: 'reader',
      path: '/',
      policies: ['Read'],
      inlinePolicies: [],
      tags: new Map(),
      trustPolicy,
      maxSessionDurationSeconds: 3600,
    },
  ],
  bucketPolicies: [],
  rootAccessKeys: [],
  providerRoles: [
    { mode: 'claim', provider: 'claims', name: 'claims', policies: [], uniqueName: 'claims' },
    { mode: 'role-policy', provider: 'roles', name: 'client-id', policies: ['Read'], uniqueName: 'roles' },
  ],
});

const reader = 'arn:aws:iam::123456789012:role/reader';
const claimRole = 'arn:minio:iam:::role/claims/claims';
const rolePolicy = 'arn:minio:iam:::role/client-id';

function claimsOf(
  roleArn: string,
  changes: Partial<SessionClaims<RoleSessionPrincipal>> = {},
): SessionClaims {
  const roleId = directory.role(roleArn)?.roleId ?? '';
  return {
    sessionId: 'id',
    accessKeyId: 'ASIAEXAMPLE',
    seed: new Uint8Array(32),
    principal: { kind: 'role-session', roleArn, roleId, sessionName: 'app' },
    issuedAt: 1,
    expiresAt: 2,
    policyArns: [],
    tags: [],
    ...changes,
  };
}

/** Names of the policies that count, or the reason why no caller is found. */
function policiesOf(claims: SessionClaims): readonly string[] | string {
  try {
    const { entity } = identifySession(claims, directory);
    return entity.policies.map(({ name }) => name.replace(/^.*policy\//, ''));
  } catch (error) {
    if (error instanceof AuthenticationFault) return error.reason;
    throw error;
  }
}

describe('a session that names its policies', () => {
  it('has those that exist, of a claim-mode role', () => {
    expect(policiesOf(claimsOf(claimRole, { policyNames: ['Read', 'Gone'] }))).toEqual(['Read']);
    expect(policiesOf(claimsOf(claimRole, { policyNames: ['Gone'] }))).toEqual([]);
  });

  it('does not exist for any other role', () => {
    for (const arn of [reader, rolePolicy]) {
      expect(policiesOf(claimsOf(arn))).toEqual(['Read']);
      expect(policiesOf(claimsOf(arn, { policyNames: ['Everything'] }))).toBe('invalid_token');
      expect(policiesOf(claimsOf(arn, { policyNames: [] }))).toBe('invalid_token');
    }
  });
});

describe('a session of a claim-mode role that names no policy', () => {
  it('has none', () => {
    expect(policiesOf(claimsOf(claimRole))).toEqual([]);
  });
});

describe('a session of a provider’s role', () => {
  it('has an ARN of the account', () => {
    const { arn, entity, userId } = identifySession(claimsOf(rolePolicy), directory);
    const { roleId }: Pick<Role, 'roleId'> = directory.role(rolePolicy) ?? { roleId: '' };
    expect(arn).toBe('arn:aws:sts::123456789012:assumed-role/client-id/app');
    expect(userId).toBe(`${roleId}:app`);
    expect(entity.arn).toBe(rolePolicy);
  });

  it.each(['AROAANOTHERONE', ''])('does not exist when the role has another id: %j', (roleId) => {
    const principal = { kind: 'role-session', roleArn: rolePolicy, roleId, sessionName: 'app' } as const;
    expect(policiesOf(claimsOf(rolePolicy, { principal }))).toBe('invalid_token');
  });
});
