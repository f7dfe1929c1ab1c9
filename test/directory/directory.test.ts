import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { buildDirectory } from '../../src/directory/directory.ts';
import {
  type DirectoryRecords,
  type NamedPolicyRecord,
  type RoleRecord,
  readPolicyRecord,
  type UserRecord,
} from '../../src/directory/records.ts';

const account = { id: '123456789012', partition: 'aws' };

function policy(name: string): NamedPolicyRecord {
  const Statement = [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }];
  return { name, ...readPolicyRecord({ Version: '2012-10-17', Statement }, 'identity') };
}

const trustPolicy = readPolicyRecord(
  { Statement: { Effect: 'Allow', Principal: { AWS: account.id }, Action: 'sts:AssumeRole' } },
  'trust',
);

function user(name: string, changes: Partial<UserRecord> = {}): UserRecord {
  const base = { name, path: '/', policies: [], inlinePolicies: [], tags: new Map(), accessKeys: [] };
  return { ...base, ...changes };
}

function role(name: string, changes: Partial<RoleRecord> = {}): RoleRecord {
  const base = { name, path: '/', policies: [], inlinePolicies: [], tags: new Map(), trustPolicy };
  return { ...base, maxSessionDurationSeconds: 3600, ...changes };
}

function records(changes: Partial<DirectoryRecords> = {}): DirectoryRecords {
  return {
    account,
    policies: [policy('Read')],
    users: [],
    roles: [],
    bucketPolicies: [],
    rootAccessKeys: [],
    ...changes,
  };
}

const key = { accessKeyId: 'AKIAALICE00000000000', secretAccessKey: new Secret('alice-secret') };

describe('buildDirectory', () => {
  it('finds users by access key and by ARN', () => {
    const alice = user('alice', { path: '/team/', accessKeys: [key], policies: ['Read'] });
    const directory = buildDirectory(records({ users: [alice] }));
    const found = directory.accessKey(key.accessKeyId);
    expect(found?.secretAccessKey.reveal()).toBe('alice-secret');
    expect(found?.owner).toMatchObject({
      kind: 'user',
      name: 'alice',
      arn: 'arn:aws:iam::123456789012:user/team/alice',
    });
    expect(directory.userByArn('arn:aws:iam::123456789012:user/team/alice')).toBe(found?.owner);
    expect(found?.owner.policies.map(({ name }) => name)).toEqual(['arn:aws:iam::123456789012:policy/Read']);
  });

  it.each(['', 'akiaalice00000000000', 'AKIAALICE0000000000', '__proto__', 'constructor'])(
    'finds no access key %j',
    (accessKeyId) => {
      const directory = buildDirectory(records({ users: [user('alice', { accessKeys: [key] })] }));
      expect(directory.accessKey(accessKeyId)).toBeUndefined();
    },
  );

  it('finds roles by ARN with and without account', () => {
    const directory = buildDirectory(records({ roles: [role('reader', { path: '/data/' })] }));
    const found = directory.role('arn:aws:iam::123456789012:role/data/reader');
    expect(found).toMatchObject({
      kind: 'role',
      arn: 'arn:aws:iam::123456789012:role/data/reader',
      maxSessionDurationSeconds: 3600,
    });
    expect(directory.role('arn:aws:iam:::role/data/reader')).toBe(found);
  });

  it.each([
    'arn:aws:iam::123456789012:role/reader',
    'arn:aws:iam::999999999999:role/data/reader',
    'arn:aws:iam::123456789012:role/data/Reader',
    'arn:aws-cn:iam::123456789012:role/data/reader',
    'arn:aws:iam::123456789012:role/data/*',
    'arn:aws:iam::123456789012:user/data/reader',
    'reader',
  ])('finds no role %s', (arn) => {
    const directory = buildDirectory(records({ roles: [role('reader', { path: '/data/' })] }));
    expect(directory.role(arn)).toBeUndefined();
  });

  it('finds managed policies by exact ARN and shares them', () => {
    const users = [user('a', { policies: ['Read'], permissionsBoundary: 'Read' })];
    const directory = buildDirectory(records({ users }));
    const managed = directory.managedPolicy('arn:aws:iam::123456789012:policy/Read');
    const owner = directory.userByArn('arn:aws:iam::123456789012:user/a');
    expect(managed).toBeDefined();
    expect(owner?.policies[0]).toBe(managed);
    expect(owner?.boundary).toBe(managed);
    expect(directory.managedPolicy('arn:aws:iam::aws:policy/Read')).toBeUndefined();
    expect(directory.managedPolicy('Read')).toBeUndefined();
  });

  it('uses the partition in every ARN', () => {
    const partition = { id: account.id, partition: 'aws-cn' };
    const directory = buildDirectory(records({ account: partition, roles: [role('reader')] }));
    expect(directory.role('arn:aws-cn:iam::123456789012:role/reader')).toBeDefined();
    expect(directory.managedPolicy('arn:aws-cn:iam::123456789012:policy/Read')).toBeDefined();
  });

  it('derives unique ids from account, kind and name, unless configured', () => {
    const idsOf = (id: string): (string | undefined)[] => {
      const directory = buildDirectory(
        records({
          account: { id, partition: 'aws' },
          users: [user('same')],
          roles: [role('same'), role('other')],
        }),
      );
      return [
        directory.userByArn(`arn:aws:iam::${id}:user/same`)?.userId,
        directory.role(`arn:aws:iam::${id}:role/same`)?.roleId,
        directory.role(`arn:aws:iam::${id}:role/other`)?.roleId,
      ];
    };
    const ids = idsOf('123456789012');
    expect(ids).toEqual(idsOf('123456789012'));
    expect(ids[0]).toMatch(/^AIDA[A-Z2-7]{17}$/);
    expect(ids[1]).toMatch(/^AROA[A-Z2-7]{17}$/);
    const digits = [...ids, ...idsOf('999999999999')].map((id) => id?.slice(4));
    expect(new Set(digits).size).toBe(6);
    const configured = buildDirectory(records({ roles: [role('r', { roleId: 'AROACONFIGURED00' })] }));
    expect(configured.role('arn:aws:iam::123456789012:role/r')?.roleId).toBe('AROACONFIGURED00');
  });

  it('finds the policy of a bucket by the exact name of the bucket', () => {
    const statement = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::data/*' };
    const record = { bucket: 'data', ...readPolicyRecord({ Statement: statement }, 'resource') };
    const directory = buildDirectory(records({ bucketPolicies: [record] }));
    expect(directory.bucketPolicy('data')?.name).toBe('bucket policy of data');
    expect(directory.bucketPolicy('Data')).toBeUndefined();
    expect(directory.bucketPolicy('*')).toBeUndefined();
    expect(() => buildDirectory(records({ bucketPolicies: [{ ...record, bucket: 'other' }] }))).toThrow(
      'names a resource that is not of the bucket other',
    );
  });

  it('counts policies by kind', () => {
    const users = [user('a', { inlinePolicies: [policy('X'), policy('Y')] })];
    const roles = [role('r', { inlinePolicies: [policy('X')] })];
    expect(buildDirectory(records({ users, roles })).policyCounts).toEqual({
      managed: 1,
      inline: 3,
      trust: 1,
      bucket: 0,
    });
  });

  it('cannot be changed', () => {
    const directory = buildDirectory(records({ users: [user('a')] }));
    expect(Object.isFrozen(directory)).toBe(true);
    expect(Object.isFrozen(directory.userByArn('arn:aws:iam::123456789012:user/a'))).toBe(true);
  });

  it.each<[string, Partial<DirectoryRecords>]>([
    ['two users of one name', { users: [user('a'), user('A')] }],
    ['two roles of one name', { roles: [role('a'), role('A')] }],
    ['two policies of one name', { policies: [policy('Read'), policy('READ')] }],
    [
      'two access keys of one id',
      { users: [user('a', { accessKeys: [key] }), user('b', { accessKeys: [key] })] },
    ],
    ['one role id twice', { roles: [role('a', { roleId: 'AROASAME' }), role('b', { roleId: 'AROASAME' })] }],
    ['one user id twice', { users: [user('a', { userId: 'AIDASAME' }), user('b', { userId: 'AIDASAME' })] }],
    [
      'a long-term key marked temporary',
      { users: [user('a', { accessKeys: [{ ...key, accessKeyId: 'ASIA1234' }] })] },
    ],
    ['an unknown policy', { users: [user('a', { policies: ['Raed'] })] }],
    ['an unknown boundary', { roles: [role('a', { permissionsBoundary: 'Raed' })] }],
    ['a name of Object.prototype as policy', { users: [user('a', { policies: ['constructor'] })] }],
    ['an oversize managed policy', { policies: [{ ...policy('Big'), characters: 6145 }] }],
  ])('rejects %s', (_, changes) => {
    expect(() => buildDirectory(records(changes))).toThrow('directory records are inconsistent');
  });

  it('accepts a user and a role of one name', () => {
    expect(() => buildDirectory(records({ users: [user('same')], roles: [role('same')] }))).not.toThrow();
  });
});
