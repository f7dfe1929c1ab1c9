import { afterAll, describe, expect, it } from 'vitest';
import { type Execution, execute, file, policyConfiguration, removeFiles } from './command.ts';

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

  it('ignores the letter case of an action', async () => {
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

  it.each([
    's3:PutObjectAcl',
    's3:PutObjectTagging',
    's3:PutObjectRetention',
    's3:PutObjectLegalHold',
    's3:BypassGovernanceRetention',
    's3:GetObjectVersion',
    's3:GetObjectVersionTagging',
    's3:GetObjectRetention',
    's3:DeleteObjectVersion',
  ])('knows %s, which no operation is named after', async (action) => {
    expect((await ask(alice, action, 'arn:aws:s3:::closed/a')).code).toBe(1);
  });

  it('treats a star in a key as a literal star', async () => {
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
          decidedResource: null,
          decision: 'allowed',
          reason: '',
          policyType: 'identity',
          statement,
          policySets: {
            identity: 'allow',
            boundary: null,
            session: null,
            scopeDown: null,
            scopeDownLayer: null,
            resource: null,
            resourceLevel: 'none',
          },
          nearMiss: null,
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

describe('the principal', () => {
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

  it('is held to every scope-down policy, and says which one does not allow', async () => {
    const statement = (Action: string): string =>
      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"${Action}","Resource":"*"}}`;
    const [reading, writing] = [
      file('reading.json', statement('s3:Get*')),
      file('writing.json', statement('s3:Put*')),
    ];
    const narrowed = (...paths: string[]): string[] => paths.flatMap((path) => ['--scope-down', path]);
    const get = ['s3:GetObject', 'arn:aws:s3:::data/a'] as const;
    expect((await ask(session, ...get, ...narrowed(reading, reading, reading))).code).toBe(0);
    expect(await resultOf(session, ...get, ...narrowed(reading, writing))).toMatchObject({
      decision: 'implicitDeny',
      policyType: 'scopeDown',
      reason: 'because no scope-down policy allows the s3:GetObject action (layer 2)',
      policySets: { identity: 'allow', session: null, scopeDown: 'none', scopeDownLayer: 2 },
      matchedStatements: [
        { policyType: 'identity' },
        { policyType: 'scopeDown', policy: 'scope-down policy 1' },
      ],
    });
    const { data } = await ask(session, ...get, ...narrowed(writing));
    expect(data).toContain('decided by the scope-down policies');
    expect(data).toContain('session -, scope-down none (layer 1), resource -');
  });

  it('scopes itself down unless something denies that', async () => {
    const denying = file(
      'denying.json',
      '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sts:GetScopedCredentials","Resource":"*"}}',
    );
    const scoping = [session, 'sts:GetScopedCredentials', '*'] as const;
    expect((await ask(...scoping)).code).toBe(0);
    expect(await resultOf(...scoping, '--scope-down', denying)).toMatchObject({
      decision: 'explicitDeny',
      policyType: 'scopeDown',
    });
    const naming = file(
      'naming.json',
      `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sts:GetScopedCredentials","Resource":"${session}"}}`,
    );
    expect(await resultOf(...scoping, '--scope-down', naming)).toMatchObject({
      decision: 'explicitDeny',
      decidedResource: session,
    });
    const { data } = await ask(...scoping, '--scope-down', naming);
    expect(data).toContain(`  asked of   ${session}`);
    expect((await ask(alice, 'sts:GetScopedCredentials', '*')).prose).toContain(
      'sts:GetScopedCredentials is asked by a session with temporary credentials',
    );
  });

  it('has the tags of the session', async () => {
    const red = ['s3:PutObject', 'arn:aws:s3:::data/red/a'] as const;
    expect((await ask(session, ...red)).code).toBe(1);
    expect((await ask(session, ...red, '--tag', 'team=red')).code).toBe(0);
  });

  it('treats a star as an anonymous caller, which only bucket policies can allow', async () => {
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

  it('is reported when enforcement only records the refusal', async () => {
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

  it('resolves a role ARN without an account to the role', async () => {
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
    const century = ['--context', 'sts:ExternalId=x', '--context', 'aws:CurrentTime=2051-05-01T00:00:00Z'];
    const { matchedStatements } = await resultOf(alice, ...assume, ...century);
    expect(matchedStatements.map(({ sid }) => sid)).toContain('NotInThatCentury');
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

  it('notes keys that no policy refers to', async () => {
    const words = ['s3:GetObject', 'arn:aws:s3:::data/a', '--context', 'aws:SourceIPs=10.0.0.7'] as const;
    const { code, prose } = await ask(alice, ...words);
    expect([code, prose]).toEqual([0, 'note: no policy involved refers to aws:sourceips']);
    expect(await resultOf(alice, ...words)).toMatchObject({ unusedContextKeys: ['aws:sourceips'] });
  });

  it('that cannot be read makes the decision fail, as in a request', async () => {
    const words = ['--context', 'aws:SourceIp=nowhere', '--context', 's3:prefix=2026/'];
    const { code, data } = await ask(alice, 's3:ListBucket', 'arn:aws:s3:::data', ...words);
    expect(code).toBe(1);
    expect(data).not.toContain('allowed:');
  });
});
