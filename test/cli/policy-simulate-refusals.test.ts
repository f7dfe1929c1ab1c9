import { afterAll, describe, expect, it } from 'vitest';
import { type Execution, execute, file, missingFile, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const config = file('sidecar.yaml', policyConfiguration);
const alice = 'arn:aws:iam::123456789012:user/staff/alice';
const reader = 'arn:aws:iam::123456789012:role/data-reader';
const session = 'arn:aws:sts::123456789012:assumed-role/data-reader/bob';

const simulate = (...words: readonly string[]): Promise<Execution> =>
  execute('policy', 'simulate', '--config', config, ...words);

const ask = (
  principal: string,
  action: string,
  resource: string,
  ...more: readonly string[]
): Promise<Execution> =>
  simulate('--principal', principal, '--action', action, '--resource', resource, ...more);

describe('policy simulate exits 2', () => {
  const get = ['s3:GetObject', 'arn:aws:s3:::data/a'] as const;
  const badPolicy = file('bad.json', '{"Version":"2012-10-17","Statement":{"Effect":"allow"}}');
  const longPolicy = file('long.json', JSON.stringify({ Version: '2012-10-17', Id: 'x'.repeat(3000) }));

  it.each<[string, readonly string[], string]>([
    ['an unknown user', ['arn:aws:iam::123456789012:user/staff/alcie', ...get], `did you mean "${alice}"?`],
    ['a user without its path', ['arn:aws:iam::123456789012:user/alice', ...get], `did you mean "${alice}"?`],
    ['an unknown role', ['arn:aws:iam::123456789012:role/data-raeder', ...get], `did you mean "${reader}"?`],
    [
      'a session of an unknown role',
      ['arn:aws:sts::123456789012:assumed-role/data-reder/b', ...get],
      'did you mean "data-reader"?',
    ],
    [
      'a session with an impossible name',
      ['arn:aws:sts::123456789012:assumed-role/data-reader/b', ...get],
      'cannot be the name of a session',
    ],
    [
      'a role of another account',
      ['arn:aws:iam::210987654321:role/data-reader', ...get],
      'is not a user, role or role session',
    ],
    ['a principal that is a name', ['alice', ...get], 'is not an ARN'],
    ['an empty principal', ['', ...get], 'is not an ARN'],
    ['a misspelt action', [alice, 's3:GetObjct', get[1]], 'did you mean "s3:GetObject"?'],
    ['an action with wildcards', [alice, 's3:Get*', get[1]], 'without wildcards'],
    ['an action without a service', [alice, 'GetObject', get[1]], 'expected service:name'],
    ['an action of another service', [alice, 'ec2:RunInstances', get[1]], 's3 or sts'],
    [
      'an STS action without policies',
      [alice, 'sts:GetCallerIdentity', reader],
      'is not decided by policies',
    ],
    ['a malformed ARN', [alice, get[0], 'data/a'], 'expected arn:aws:s3:::bucket/key'],
    [
      'the ARN of another partition',
      [alice, get[0], 'arn:aws-cn:s3:::data/a'],
      'expected arn:aws:s3:::bucket/key',
    ],
    ['a bucket for an object', [alice, get[0], 'arn:aws:s3:::data'], 'does not fit s3:GetObject'],
    ['an object without a name', [alice, get[0], 'arn:aws:s3:::data/'], 'does not fit s3:GetObject'],
    ['an object for a bucket', [alice, 's3:ListBucket', 'arn:aws:s3:::data/*'], 'does not fit s3:ListBucket'],
    ['a key out of its bucket', [alice, get[0], 'arn:aws:s3:::data/../x'], 'leads out of its bucket'],
    ['a key of a store’s own', [alice, get[0], 'arn:aws:s3:::data/.sgwtmp/x'], 'stores keep for themselves'],
    ['a bucket of a store’s own', [alice, get[0], 'arn:aws:s3:::minio/x'], 'stores keep for themselves'],
    [
      'the list of a bucket of a store’s own',
      [alice, 's3:ListBucket', 'arn:aws:s3:::admin'],
      'stores keep for themselves',
    ],
    ['an invalid bucket name', [alice, get[0], 'arn:aws:s3:::da*ta/x'], 'bucket is not valid'],
    ['a key that is too long', [alice, get[0], `arn:aws:s3:::data/${'k'.repeat(1025)}`], 'key is too long'],
    [
      'a prefix of a store’s own',
      [alice, 's3:ListBucket', 'arn:aws:s3:::data', '--context', 's3:prefix=.sgwtmp/'],
      'stores keep for themselves',
    ],
    [
      'an invalid version id',
      [
        alice,
        's3:GetObjectVersion',
        get[1],
        '--context',
        's3:VersionId=00000000-0000-0000-0000-000000000000',
      ],
      'cannot be the id of a version',
    ],
    [
      'a copy of what a store keeps',
      [alice, 's3:PutObject', get[1], '--context', 's3:x-amz-copy-source=data/.uploads/1'],
      'stores keep for themselves',
    ],
    ['a role that does not exist', [alice, 'sts:AssumeRole', `${reader}s`], 'did you mean "data-reader"?'],
    ['a bucket for a role', [alice, 'sts:AssumeRole', 'arn:aws:s3:::data'], 'is not the ARN of a role'],
    [
      'AssumeRole by an anonymous caller',
      ['*', 'sts:AssumeRole', reader],
      'is asked by a user or a session of a role',
    ],
    [
      'a web identity’s action by a user',
      [alice, 'sts:AssumeRoleWithWebIdentity', reader],
      'is asked by a web identity',
    ],
    ['a context without a value', [alice, ...get, '--context', 'aws:SourceIp'], 'not of the form key=value'],
    ['a context key without a service', [alice, ...get, '--context', 'SourceIp=1'], 'is not a context key'],
    [
      'a key given and absent',
      [alice, ...get, '--context', 'aws:SourceIp=10.0.0.1', '--absent', 'aws:sourceip'],
      'given a value too',
    ],
    [
      'one absent tag of an object',
      [alice, ...get, '--absent', 's3:ExistingObjectTag/team'],
      '"s3:ExistingObjectTag/"',
    ],
    [
      'a tag that the sidecar would not look up',
      [alice, 's3:PutObject', get[1], '--context', 's3:ExistingObjectTag/team=blue'],
      'does not know s3:ExistingObjectTag/team',
    ],
    [
      'a version id that the sidecar refuses',
      [alice, 's3:GetObjectVersion', get[1], '--context', 's3:VersionId=v_b'],
      '"v_b" cannot be the id of a version',
    ],
    ['a tag of a user’s session', [alice, ...get, '--tag', 'a=b'], 'needs the session of a role'],
    [
      'a session policy of a user',
      [alice, ...get, '--session-policy', badPolicy],
      'needs the session of a role',
    ],
    ['a tag given twice', [session, ...get, '--tag', 'a=b', '--tag', 'A=c'], 'is given twice'],
    ['a malformed session policy', [session, ...get, '--session-policy', badPolicy], 'Statement[0]'],
    [
      'a session policy that is too long',
      [session, ...get, '--session-policy', longPolicy],
      '--session-policy',
    ],
    [
      'a scope-down policy of a long-term key',
      [alice, ...get, '--scope-down', badPolicy],
      'needs temporary credentials',
    ],
    [
      'a malformed scope-down policy',
      [session, ...get, '--scope-down', badPolicy],
      '--scope-down: Statement[0]',
    ],
    [
      'a fourth scope-down policy',
      [session, ...get, ...Array.from({ length: 4 }, () => ['--scope-down', badPolicy]).flat()],
      'a session has 3 scope-down policies at most',
    ],
    [
      'a scope-down policy that is not there',
      [session, ...get, '--scope-down', missingFile],
      '--scope-down: ',
    ],
    ['a session policy that is not there', [session, ...get, '--session-policy', missingFile], 'ENOENT'],
    [
      'an unknown managed session policy',
      [session, ...get, '--session-policy-arn', 'arn:aws:iam::123456789012:policy/None'],
      'does not exist',
    ],
  ])('for %s', async (_, [principal = '', action = '', resource = '', ...more], message) => {
    const { code, data, prose } = await ask(principal, action, resource, ...more);
    expect([code, data]).toEqual([2, '']);
    expect(prose).toContain(message);
    expect(prose).toMatch(/^--[a-z-]+: /);
  });

  it.each<[string, readonly string[], string]>([
    ['nobody', ['--action', get[0], '--resource', get[1]], '--principal: is required'],
    ['no action', ['--principal', alice, '--resource', get[1]], 'needs --action'],
    ['no resource', ['--principal', alice, '--action', get[0]], 'needs --resource'],
    [
      'an unknown provider',
      [
        '--web-identity-provider',
        'compny',
        '--action',
        'sts:AssumeRoleWithWebIdentity',
        '--resource',
        reader,
      ],
      'did you mean "company"?',
    ],
    [
      'a provider and a principal',
      ['--web-identity-provider', 'company', '--principal', alice, '--action', get[0], '--resource', get[1]],
      'cannot be combined with',
    ],
    [
      'a web identity on S3',
      ['--web-identity-provider', 'company', '--action', get[0], '--resource', get[1]],
      'before it assumes a role',
    ],
    ['an unknown option', ['--surprise'], 'unknown option'],
  ])('for %s', async (_, words, message) => {
    const { code, data, prose } = await simulate(...words);
    expect([code, data]).toEqual([2, '']);
    expect(prose).toContain(message);
  });

  it('for a configuration that is missing, broken or not named', async () => {
    const words = ['--principal', alice, '--action', get[0], '--resource', get[1]];
    expect((await execute('policy', 'simulate', ...words)).code).toBe(2);
    expect((await execute('policy', 'simulate', '--config', missingFile, ...words)).prose).toContain(
      'ENOENT',
    );
    const broken = file('broken.yaml', policyConfiguration.replace('users:', 'usres:'));
    const { code, prose } = await execute('policy', 'simulate', '--config', broken, ...words);
    expect(code).toBe(2);
    expect(prose).toMatch(/broken\.yaml:\d+:\d+ .*did you mean "users"/);
    expect(prose).not.toContain('a-literal-secret');
  });
});
