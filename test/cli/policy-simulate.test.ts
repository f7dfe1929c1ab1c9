import { describe, expect, it } from 'vitest';
import { type Execution, execute, file, missingFile, policyConfiguration } from './command.ts';

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

interface Result {
  readonly decision: string;
  readonly reason: string;
  readonly policyType: string | null;
  readonly statement: { readonly sid: string | null; readonly index: number } | null;
  readonly policySets: Readonly<Record<string, string | null>> | null;
  readonly matchedStatements: readonly { readonly sid: string | null; readonly policyType: string }[];
  readonly neededKeys: readonly string[];
  readonly unusedContextKeys: readonly string[];
  readonly onlyRecorded: boolean;
}

async function resultsOf(...words: readonly string[]): Promise<readonly Result[]> {
  const { data, prose } = await simulate(...words, '--json');
  if (data === '') throw new Error(prose);
  return (JSON.parse(data) as { results: readonly Result[] }).results;
}

async function resultOf(
  principal: string,
  action: string,
  resource: string,
  ...more: readonly string[]
): Promise<Result> {
  const [result] = await resultsOf(
    '--principal',
    principal,
    '--action',
    action,
    '--resource',
    resource,
    ...more,
  );
  if (result === undefined) throw new Error('no result');
  return result;
}

describe('policy simulate', () => {
  it('exits 0 for what is allowed and names the statement', async () => {
    const { code, data, prose } = await ask(alice, 's3:GetObject', 'arn:aws:s3:::data/a.txt');
    expect([code, prose]).toEqual([0, '']);
    expect(data).toContain('allowed: s3:GetObject on arn:aws:s3:::data/a.txt');
    expect(data).toContain('policy/ReadData Statement[0] (Sid "Read")');
  });

  it('exits 1 for an explicit deny and shows the allow that lost', async () => {
    const { code, data } = await ask(alice, 's3:GetObject', 'arn:aws:s3:::data/secret/a');
    expect(code).toBe(1);
    expect(data).toContain('denied: ');
    expect(data).toContain('with an explicit deny in an identity-based policy');
    expect(data).toContain('(Sid "Read")');
    expect(data).toContain('(Sid "NoSecrets")');
  });

  it('exits 1 when nothing allows', async () => {
    const { code, data } = await ask(alice, 's3:DeleteObject', 'arn:aws:s3:::data/a.txt');
    expect(code).toBe(1);
    expect(data).toContain('because no identity-based policy allows the s3:DeleteObject action');
    expect(data).toContain('no statement matches');
  });

  it('takes upper and lower case of an action for the same', async () => {
    expect((await ask(alice, 'S3:getobject', 'arn:aws:s3:::data/a.txt')).code).toBe(0);
  });

  it('decides every action on every resource, and exits 1 when one is denied', async () => {
    const words = ['--principal', alice, '--action', 's3:GetObject', '--action', 's3:PutObject'];
    const places = ['--resource', 'arn:aws:s3:::data/blue/a', '--resource', 'arn:aws:s3:::data/red/a'];
    const results = await resultsOf(...words, ...places);
    expect(results.map(({ decision }) => decision)).toEqual([
      'allowed',
      'allowed',
      'allowed',
      'implicitDeny',
    ]);
    expect((await simulate(...words, ...places)).code).toBe(1);
  });

  it('takes the star in a key for a star', async () => {
    expect((await ask(alice, 's3:PutObject', 'arn:aws:s3:::data/*/a')).code).toBe(1);
  });

  it('prints JSON with a stable form', async () => {
    const { data } = await ask(alice, 's3:GetObject', 'arn:aws:s3:::data/a.txt', '--json');
    const statement = { policy: 'arn:aws:iam::123456789012:policy/ReadData', sid: 'Read', index: 0 };
    expect(JSON.parse(data)).toEqual({
      version: 1,
      allowed: true,
      results: [
        {
          principal: alice,
          action: 's3:GetObject',
          resource: 'arn:aws:s3:::data/a.txt',
          decision: 'allowed',
          reason: '',
          policyType: 'identity',
          statement,
          policySets: {
            identity: 'allow',
            boundary: null,
            session: null,
            resource: null,
            resourceLevel: 'none',
          },
          matchedStatements: [
            { policyType: 'identity', effect: 'Allow', ...statement, principalLevel: null },
          ],
          neededKeys: [],
          unusedContextKeys: [],
          onlyRecorded: false,
        },
      ],
    });
  });
});

describe('who asks', () => {
  it('is a session of the role when a role is named', async () => {
    expect(await resultOf(reader, 's3:GetObject', 'arn:aws:s3:::data/a')).toMatchObject({
      principal: 'arn:aws:sts::123456789012:assumed-role/data-reader/policy-simulate',
      decision: 'allowed',
    });
  });

  it('is held to a permissions boundary', async () => {
    const bounded = 'arn:aws:iam::123456789012:user/bounded';
    expect(await resultOf(bounded, 's3:PutObject', 'arn:aws:s3:::data/blue/a')).toMatchObject({
      decision: 'implicitDeny',
      policyType: 'boundary',
    });
  });

  it('is held to an inline session policy', async () => {
    const policy =
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}';
    const path = file('session.json', policy);
    const denied = await resultOf(session, 's3:GetObject', 'arn:aws:s3:::data/a', '--session-policy', path);
    expect(denied).toMatchObject({ decision: 'implicitDeny', policyType: 'session' });
  });

  it('is held to managed session policies', async () => {
    const arn = 'arn:aws:iam::123456789012:policy/OnlyReading';
    const words = ['--tag', 'team=red', '--session-policy-arn', arn];
    const denied = await resultOf(session, 's3:PutObject', 'arn:aws:s3:::data/red/a', ...words);
    expect(denied).toMatchObject({ decision: 'implicitDeny', policyType: 'session' });
    expect(
      (await ask(session, 's3:GetObject', 'arn:aws:s3:::data/a', '--session-policy-arn', arn)).code,
    ).toBe(0);
  });

  it('has the tags of the session', async () => {
    const red = ['s3:PutObject', 'arn:aws:s3:::data/red/a'] as const;
    expect((await ask(session, ...red)).code).toBe(1);
    expect((await ask(session, ...red, '--tag', 'team=red')).code).toBe(0);
  });

  it('is anybody for a star, whom only bucket policies allow', async () => {
    expect((await ask('*', 's3:GetObject', 'arn:aws:s3:::open/a')).code).toBe(0);
    expect((await ask('*', 's3:GetObject', 'arn:aws:s3:::data/a')).code).toBe(1);
  });

  it('is bound by a bucket policy that denies', async () => {
    expect(await resultOf(alice, 's3:GetObject', 'arn:aws:s3:::closed/a')).toMatchObject({
      decision: 'explicitDeny',
      policyType: 'resource',
      statement: { sid: 'Nobody' },
    });
  });

  it('is told when enforcement only records the refusal', async () => {
    const denied = ['s3:DeleteObject', 'arn:aws:s3:::data/a'] as const;
    expect(await resultOf(session, ...denied)).toMatchObject({
      decision: 'implicitDeny',
      onlyRecorded: true,
    });
    expect((await ask(session, ...denied)).data).toContain('enforcement is audit');
    expect(await resultOf(alice, ...denied)).toMatchObject({ onlyRecorded: false });
    expect(await resultOf(session, 's3:GetObject', 'arn:aws:s3:::data/secret/a')).toMatchObject({
      onlyRecorded: false,
    });
  });
});

describe('trust', () => {
  const assume = ['sts:AssumeRole', reader] as const;

  it('needs the trust policy and the caller’s own', async () => {
    const allowed = await resultOf(alice, ...assume, '--context', 'sts:ExternalId=x');
    expect(allowed).toMatchObject({
      decision: 'allowed',
      policySets: { resource: 'allow', resourceLevel: 'account' },
    });
    expect(allowed.matchedStatements.map(({ policyType }) => policyType)).toEqual(['identity', 'resource']);
    expect(await resultOf(alice, ...assume)).toMatchObject({
      decision: 'implicitDeny',
      policyType: 'resource',
    });
    const nobody = 'arn:aws:iam::123456789012:user/nobody';
    expect(await resultOf(nobody, ...assume, '--context', 'sts:ExternalId=x')).toMatchObject({
      decision: 'implicitDeny',
      policyType: 'identity',
    });
  });

  it('takes an account-less role ARN for the role', async () => {
    const words = ['arn:aws:iam:::role/data-reader', '--context', 'sts:ExternalId=x'] as const;
    expect(await resultOf(alice, 'sts:AssumeRole', ...words)).toMatchObject({
      decision: 'allowed',
      resource: reader,
    });
  });

  it('is decided at the time that the context gives', async () => {
    const late = ['--context', 'sts:ExternalId=x', '--context', 'aws:CurrentTime=2031-05-01T00:00:00Z'];
    expect(await resultOf(alice, ...assume, ...late)).toMatchObject({
      decision: 'explicitDeny',
      statement: { sid: 'NotAtNight' },
    });
  });

  it.each([
    'company',
    'https://login.example.com',
    'arn:aws:iam::123456789012:oidc-provider/login.example.com',
  ])('of a web identity is the trust policy alone, for the provider %s', async (provider) => {
    const role = 'arn:aws:iam::123456789012:role/ci';
    const words = [
      '--web-identity-provider',
      provider,
      '--action',
      'sts:AssumeRoleWithWebIdentity',
      '--resource',
      role,
    ];
    expect(await resultsOf(...words, '--context', 'login.example.com:sub=repo-a')).toMatchObject([
      { decision: 'allowed', policyType: 'resource', statement: { sid: 'RepoA' } },
    ]);
    expect(await resultsOf(...words, '--context', 'login.example.com:sub=repo-b')).toMatchObject([
      { decision: 'implicitDeny' },
    ]);
    expect(await resultsOf(...words)).toMatchObject([{ decision: 'implicitDeny' }]);
  });
});

describe('the context', () => {
  it('has what every request of the action has', async () => {
    expect((await ask(alice, 's3:ListBucket', 'arn:aws:s3:::listed')).code).toBe(0);
    const many = ['--context', 's3:max-keys=1001'];
    expect((await ask(alice, 's3:ListBucket', 'arn:aws:s3:::listed', ...many)).code).toBe(1);
  });

  it.each([
    ['s3:GetObject', 'arn:aws:s3:::tagged/a', 's3:existingobjecttag/team', 's3:existingobjecttag/', []],
    ['s3:ListBucket', 'arn:aws:s3:::data', 'aws:sourceip', 'aws:sourceip', ['--context', 's3:prefix=2026/']],
  ])(
    'of %s on %s is asked for what only the store or a request knows: exit 2',
    async (action, resource, key, absent, given) => {
      const { code, prose, data } = await ask(alice, action, resource, ...given);
      expect(code).toBe(2);
      expect(data).toContain('undecided');
      expect(prose).toContain(`depends on ${key}`);
      expect(prose).toContain(`--absent ${absent}`);
      expect(await resultOf(alice, action, resource, ...given)).toMatchObject({
        decision: 'needs',
        neededKeys: [key],
      });
      expect((await ask(alice, action, resource, ...given, '--absent', absent)).code).toBe(1);
    },
  );

  it('decides with keys that are given, in any case', async () => {
    const tagged = ['s3:GetObject', 'arn:aws:s3:::tagged/a', '--context'] as const;
    expect((await ask(alice, ...tagged, 'S3:EXISTINGOBJECTTAG/team=blue')).code).toBe(0);
    expect((await ask(alice, ...tagged, 's3:ExistingObjectTag/team=red')).code).toBe(1);
    const listing = ['s3:ListBucket', 'arn:aws:s3:::data', '--context', 's3:prefix=2026/1'] as const;
    expect((await ask(alice, ...listing, '--context', 'aws:SourceIp=10.0.0.7')).code).toBe(0);
    expect((await ask(alice, ...listing, '--context', 'aws:SourceIp=192.0.2.1')).code).toBe(1);
  });

  it('replaces what the directory says', async () => {
    const put = ['s3:PutObject', 'arn:aws:s3:::data/blue/a'] as const;
    expect((await ask(alice, ...put)).code).toBe(0);
    expect((await ask(alice, ...put, '--context', 'aws:PrincipalTag/team=red')).code).toBe(1);
    expect((await ask(alice, ...put, '--absent', 'aws:PrincipalTag/team')).code).toBe(1);
  });

  it('has several values of a key that is repeated', async () => {
    const several = ['--context', 'aws:PrincipalTag/team=blue', '--context', 'aws:principaltag/TEAM=red'];
    expect((await ask(alice, 's3:PutObject', 'arn:aws:s3:::data/blue/a', ...several)).code).toBe(1);
  });

  it('notes keys that nothing asks for', async () => {
    const words = ['s3:GetObject', 'arn:aws:s3:::data/a', '--context', 'aws:SourceIPs=10.0.0.7'] as const;
    const { code, prose } = await ask(alice, ...words);
    expect([code, prose]).toEqual([0, 'note: no policy that takes part asks for aws:sourceips']);
    expect(await resultOf(alice, ...words)).toMatchObject({ unusedContextKeys: ['aws:sourceips'] });
  });

  it('that cannot be read makes the decision fail, as a request would', async () => {
    const words = ['--context', 'aws:SourceIp=nowhere', '--context', 's3:prefix=2026/'];
    const { code, data } = await ask(alice, 's3:ListBucket', 'arn:aws:s3:::data', ...words);
    expect(code).toBe(1);
    expect(data).not.toContain('allowed:');
  });
});

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
      'no user, role or role session',
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
    ['a role that does not exist', [alice, 'sts:AssumeRole', `${reader}s`], 'did you mean "data-reader"?'],
    ['a bucket for a role', [alice, 'sts:AssumeRole', 'arn:aws:s3:::data'], 'is not the ARN of a role'],
    ['AssumeRole by anybody', ['*', 'sts:AssumeRole', reader], 'is asked by a user or a session of a role'],
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
      'must not stand beside',
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
