import { describe, expect, it } from 'vitest';
import { buildDirectory, type Directory } from '../../src/directory/directory.ts';
import { providerRoleArn } from '../../src/directory/provider-role.ts';
import {
  type DirectoryRecords,
  type NamedPolicyRecord,
  type ProviderRoleRecord,
  readPolicyRecord,
} from '../../src/directory/records.ts';
import { decide } from '../../src/iam/combine.ts';
import { RequestContext } from '../../src/iam/request-context.ts';

const account = { id: '123456789012', partition: 'aws-cn' };
const id = 'nOybJqMNzNmroqEKq5D0EUsRZw0';

function policy(name: string): NamedPolicyRecord {
  const Statement = [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }];
  return { name, ...readPolicyRecord({ Version: '2012-10-17', Statement }, 'identity') };
}

const everything: NamedPolicyRecord = {
  name: 'Everything',
  ...readPolicyRecord(
    { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
    'identity',
  ),
};

const rolePolicy: ProviderRoleRecord = {
  mode: 'role-policy',
  provider: 'minio-style',
  name: id,
  policies: ['Read'],
  uniqueName: 'https://login.example.com minio-client-app',
};
const claims: ProviderRoleRecord = {
  mode: 'claim',
  provider: 'claims',
  name: 'claims',
  policies: [],
  uniqueName: 'https://login.example.com claims',
};

function build(
  providerRoles: readonly ProviderRoleRecord[],
  changes: Partial<DirectoryRecords> = {},
): Directory {
  return buildDirectory({
    account,
    policies: [policy('Read'), policy('Write')],
    users: [],
    roles: [],
    bucketPolicies: [],
    rootAccessKeys: [],
    providerRoles,
    ...changes,
  });
}

describe('the role of a provider', () => {
  it('is found by its generated ARN in any region', () => {
    const directory = build([rolePolicy, claims]);
    const found = directory.role(`arn:minio:iam:::role/${id}`);
    expect(found).toMatchObject({
      name: id,
      arn: `arn:minio:iam:::role/${id}`,
      provider: { name: 'minio-style', mode: 'role-policy' },
    });
    expect(found?.policies.map(({ name }) => name)).toEqual(['arn:aws-cn:iam::123456789012:policy/Read']);
    for (const region of ['us-east-1', 'eu-central-1', 'any.thing']) {
      expect(directory.role(`arn:minio:iam:${region}::role/${id}`)).toBe(found);
    }
  });

  it('is shown with an ARN that has the region of the account', () => {
    expect(providerRoleArn(rolePolicy, 'us-east-1')).toBe(`arn:minio:iam:us-east-1::role/${id}`);
    expect(providerRoleArn(claims, 'us-east-1')).toBe('arn:minio:iam:::role/claims/claims');
  });

  it.each([
    `arn:minio:iam::123456789012:role/${id}`,
    `arn:minio:sts:::role/${id}`,
    `arn:aws:iam:::role/${id}`,
    `arn:aws-cn:iam::123456789012:role/${id}`,
    `arn:minio:iam:::role/${id.toLowerCase()}`,
    `arn:minio:iam:::role/${id}/`,
    `arn:minio:iam:a:b::role/${id}`,
    `arn:minio:iam::role/${id}`,
    'arn:minio:iam:::role/',
    'arn:minio:iam:::role/claims',
    id,
  ])('is not found as %s', (arn) => {
    expect(build([rolePolicy, claims]).role(arn)).toBeUndefined();
  });

  it('has a trust policy that denies every caller', () => {
    const role = build([rolePolicy], { policies: [policy('Read'), everything] }).role(
      `arn:minio:iam:::role/${id}`,
    );
    const own = build([], { policies: [everything] }).managedPolicy(
      'arn:aws-cn:iam::123456789012:policy/Everything',
    );
    if (role === undefined || own === undefined) throw new Error('nothing to decide about');
    for (const action of [
      'sts:AssumeRole',
      'sts:AssumeRoleWithWebIdentity',
      'sts:AssumeRoleWithSAML',
      'sts:TagSession',
    ]) {
      for (const kind of ['user', 'root', 'role-session', 'web-identity', 'saml'] as const) {
        const arn = 'arn:aws-cn:iam::123456789012:user/admin';
        const query = {
          principal: { kind, accountId: account.id, arn, entityArn: arn, federatedProvider: arn },
          action,
          resource: role.arn,
          context: new RequestContext([]),
        };
        const decision = decide({ identity: [own], resource: [role.trustPolicy] }, query);
        expect(decision).toMatchObject({ effect: 'deny', isExplicitDeny: true });
      }
    }
  });

  it('ends with its provider, and is another role when the provider is replaced', () => {
    const arn = `arn:minio:iam:::role/${id}`;
    expect(build([]).role(arn)).toBeUndefined();
    const before = build([rolePolicy]).role(arn)?.roleId;
    expect(before).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(build([rolePolicy]).role(arn)?.roleId).toBe(before);
    const other = build([{ ...rolePolicy, uniqueName: 'https://other.example.com minio-client-app' }]);
    expect(other.role(arn)?.roleId).not.toBe(before);
  });

  it('may not have policies that do not exist, nor the name of another role', () => {
    expect(() => build([{ ...rolePolicy, policies: ['Unknown'] }])).toThrow(
      'no managed policy is named Unknown',
    );
    expect(() => build([rolePolicy, { ...claims, name: id.toUpperCase() }])).toThrow('two roles are named');
    const role = {
      name: 'Claims',
      path: '/team/',
      policies: [],
      inlinePolicies: [],
      tags: new Map<string, string>(),
      trustPolicy: readPolicyRecord(
        { Statement: { Effect: 'Allow', Principal: { AWS: account.id }, Action: 'sts:AssumeRole' } },
        'trust',
      ),
      maxSessionDurationSeconds: 3600,
    };
    expect(() => build([claims], { roles: [role] })).toThrow('two roles are named claims');
  });
});

describe('a claim-mode role', () => {
  it('allows nothing of its own and has the policies that are named and exist', () => {
    const directory = build([rolePolicy, claims]);
    const { claimRole } = directory;
    if (claimRole === undefined) throw new Error('no claim role');
    expect(directory.role('arn:minio:iam:::role/claims/claims')).toBe(claimRole);
    expect(claimRole.policies).toEqual([]);
    const named = directory.withNamedPolicies(claimRole, ['Write', 'Gone', 'read', 'Read']);
    expect(named.policies.map(({ name }) => name)).toEqual([
      'arn:aws-cn:iam::123456789012:policy/Write',
      'arn:aws-cn:iam::123456789012:policy/Read',
    ]);
    expect({ ...named, policies: [] }).toEqual({ ...claimRole });
    expect(directory.withNamedPolicies(claimRole, ['Gone']).policies).toEqual([]);
  });

  it('is absent without a claim-mode provider', () => {
    expect(build([rolePolicy]).claimRole).toBeUndefined();
  });
});
