import { afterAll, describe, expect, it } from 'vitest';
import { type Execution, execute, file, missingFile, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const config = file('sidecar.yaml', policyConfiguration);

const passing = `config: sidecar.yaml
cases:
  - name: staff read
    principal: arn:aws:iam::123456789012:user/staff/alice
    action: [s3:GetObject, s3:GetObjectVersion]
    resource: [arn:aws:s3:::other/a, arn:aws:s3:::other/b]
    expect: implicitDeny
  - name: secrets stay closed
    principal: arn:aws:iam::123456789012:role/data-reader
    action: [s3:GetObject, s3:DeleteObject]
    resource: arn:aws:s3:::data/secret/plan
    expect: explicitDeny
    matchedSid: NoSecrets
  - name: a narrowed session
    principal: arn:aws:sts::123456789012:assumed-role/data-reader/bob
    action: s3:GetObject
    resource: arn:aws:s3:::data/a
    sessionPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "s3:PutObject", Resource: "*" } }
    sessionPolicyArns: []
    scopeDown: [{ Version: "2012-10-17", Statement: { Effect: Allow, Action: "s3:ListBucket", Resource: "*" } }]
    expect: implicitDeny
  - name: the session's own tags
    principal: arn:aws:sts::123456789012:assumed-role/data-reader/bob
    action: s3:PutObject
    resource: arn:aws:s3:::data/red/a
    tags: { team: red }
    expect: allow
    matchedSid: Team
  - name: tagged objects
    principal: arn:aws:iam::123456789012:user/staff/alice
    action: s3:GetObject
    resource: arn:aws:s3:::tagged/a
    context: { "s3:ExistingObjectTag/team": blue }
    expect: allow
  - name: untagged objects
    principal: arn:aws:iam::123456789012:user/staff/alice
    action: s3:GetObject
    resource: arn:aws:s3:::tagged/a
    absent: ["s3:ExistingObjectTag/"]
    expect: deny
  - name: long listings
    principal: arn:aws:iam::123456789012:user/staff/alice
    action: s3:ListBucket
    resource: arn:aws:s3:::listed
    context: { "s3:max-keys": 5000 }
    expect: implicitDeny
  - name: two teams at once
    principal: arn:aws:iam::123456789012:user/staff/alice
    action: s3:PutObject
    resource: arn:aws:s3:::data/blue/a
    context: { "aws:PrincipalTag/team": [blue, red] }
    expect: implicitDeny
  - name: anybody
    principal: "*"
    action: s3:GetObject
    resource: arn:aws:s3:::open/a
    expect: allow
  - name: repo-a becomes ci
    webIdentityProvider: company
    action: sts:AssumeRoleWithWebIdentity
    resource: arn:aws:iam::123456789012:role/ci
    context: { "login.example.com:sub": repo-a }
    expect: allow
    matchedSid: RepoA
`;

let files = 0;

function check(cases: string, ...words: readonly string[]): Promise<Execution> {
  files += 1;
  return execute('policy', 'test', file(`cases-${files}.yaml`, cases), ...words);
}

/** The passing file with one text replaced, which must be there. */
function changed(from: string, to: string): string {
  if (!passing.includes(from)) throw new Error(`the file has no ${from}`);
  return passing.replace(from, () => to);
}

describe('policy test', () => {
  it('exits 0 and counts when every case passes', async () => {
    expect(await check(passing)).toEqual({ code: 0, data: '10 passed, 0 failed', prose: '' });
  });

  it('finds the configuration beside the cases, unless the command line names another', async () => {
    expect((await check(passing.replace('config: sidecar.yaml\n', ''), '--config', config)).code).toBe(0);
    expect((await check(changed('config: sidecar.yaml', 'config: other.yaml'))).code).toBe(2);
    expect(
      (await check(changed('config: sidecar.yaml', 'config: other.yaml'), '--config', config)).code,
    ).toBe(0);
  });

  it.each<[string, string, string, string]>([
    [
      'an allow that is a deny',
      'expect: explicitDeny',
      'expect: allow',
      'secrets stay closed: expected allow, got explicitDeny: s3:GetObject on arn:aws:s3:::data/secret/plan with an explicit deny in an identity-based policy',
    ],
    [
      'a deny of the other kind',
      'expect: explicitDeny',
      'expect: implicitDeny',
      'expected implicitDeny, got explicitDeny',
    ],
    [
      'a deny that is an allow',
      '    expect: allow\n    matchedSid: Team',
      '    expect: deny',
      "the session's own tags: expected deny, got allow: s3:PutObject on arn:aws:s3:::data/red/a because of arn:aws:iam::123456789012:policy/ReadData Team",
    ],
    [
      'an implicit deny that is an allow',
      '    expect: allow\n    matchedSid: RepoA',
      '    expect: implicitDeny',
      'because of trust policy RepoA',
    ],
    [
      'another statement',
      'matchedSid: NoSecrets',
      'matchedSid: NoSecret',
      'expected a matching statement "NoSecret", got Read, NoSecrets: s3:GetObject',
    ],
    [
      'an answer that the context does not determine',
      '    absent: ["s3:ExistingObjectTag/"]\n',
      '',
      'untagged objects: expected deny, got needs',
    ],
  ])('exits 1 for %s', async (_, from, to, message) => {
    const { code, data, prose } = await check(changed(from, to));
    expect([code, prose]).toEqual([1, '']);
    expect(data).toContain(message);
    expect(data).toMatch(/\n9 passed, 1 failed$/);
    expect(data).toMatch(/cases-\d+\.yaml:\d+ [^:]+: expected /);
  });

  it('prints JSON', async () => {
    const { code, data } = await check(changed('expect: explicitDeny', 'expect: implicitDeny'), '--json');
    expect(code).toBe(1);
    const report = JSON.parse(data) as { cases: readonly { differences: readonly string[] }[] };
    expect(report).toMatchObject({ version: 1, passed: 9, failed: 1 });
    expect(report.cases[0]).toMatchObject({
      name: 'staff read',
      line: 3,
      passed: true,
      expect: 'implicitDeny',
    });
    expect(report.cases[1]).toMatchObject({
      name: 'secrets stay closed',
      line: 8,
      passed: false,
      matchedSid: 'NoSecrets',
      results: [{ decision: 'explicitDeny', action: 's3:GetObject' }, { action: 's3:DeleteObject' }],
    });
    expect(report.cases[1]?.differences).toHaveLength(2);
  });
});

describe('policy test exits 2 with the place', () => {
  it.each<[string, string, string, string]>([
    [
      'an unknown principal',
      'user/staff/alice',
      'user/staff/alcie',
      '4:16 cases[0].principal: "arn:aws:iam::123456789012:user/staff/alcie" is not a user, role or role session',
    ],
    [
      'a misspelt action',
      'action: s3:PutObject',
      'action: s3:PutObjct',
      'cases[3].action: no operation asks for',
    ],
    [
      'an action of another service',
      '[s3:GetObject, s3:DeleteObject]',
      'ec2:RunInstances',
      '10:13 cases[1].action: ',
    ],
    ['a malformed ARN', 'arn:aws:s3:::data/secret/plan', 'data/secret/plan', '11:15 cases[1].resource: '],
    [
      'a misspelt key',
      'matchedSid: NoSecrets',
      'matchedsid: NoSecrets',
      '13:5 cases[1].matchedsid: unknown key (did you mean "matchedSid"?)',
    ],
    [
      'an unknown expectation',
      'expect: explicitDeny',
      'expect: denied',
      'cases[1].expect: must be one of "allow", "deny", "implicitDeny", "explicitDeny"',
    ],
    ['a missing expectation', '    expect: explicitDeny\n', '', '8:5 cases[1].expect: is required'],
    [
      'a missing action',
      '    action: [s3:GetObject, s3:DeleteObject]\n',
      '',
      '8:5 cases[1].action: is required',
    ],
    ['no actions', '[s3:GetObject, s3:DeleteObject]', '[]', '10:13 cases[1].action: must not be empty'],
    [
      'a missing name',
      '  - name: anybody\n    principal: "*"',
      '  - principal: "*"',
      'cases[8].name: is required',
    ],
    ['a name of two lines', 'name: anybody', 'name: "any\\nbody"', 'cases[8].name: must be one line of text'],
    [
      'a repeated name',
      'name: anybody',
      'name: staff read',
      'cases[8].name: repeats the name of the case in line 3',
    ],
    ['a missing principal', '    principal: "*"\n', '', 'cases[8].principal: is required'],
    [
      'a provider beside a principal',
      'webIdentityProvider: company',
      'webIdentityProvider: company\n    principal: "*"',
      'cases[9].webIdentityProvider: cannot be combined with',
    ],
    [
      'an unknown provider',
      'webIdentityProvider: company',
      'webIdentityProvider: compny',
      'did you mean "company"?',
    ],
    [
      'a malformed session policy',
      'Effect: Allow, Action: "s3:PutObject"',
      'Effect: allow, Action: "s3:PutObject"',
      '18:56 cases[2].sessionPolicy.Statement[0].Effect: ',
    ],
    [
      'a malformed scope-down policy',
      'Effect: Allow, Action: "s3:ListBucket"',
      'Effect: allow, Action: "s3:ListBucket"',
      'cases[2].scopeDown[0].Statement[0].Effect: ',
    ],
    [
      'an unknown session policy',
      'sessionPolicyArns: []',
      'sessionPolicyArns: ["arn:aws:iam::123456789012:policy/None"]',
      'cases[2].sessionPolicyArns: ',
    ],
    [
      'a context key without a service',
      '"s3:max-keys": 5000',
      'maxkeys: 5000',
      'cases[6].context: "maxkeys" is not a context key',
    ],
    [
      'a context value that is a mapping',
      '"s3:max-keys": 5000',
      '"s3:max-keys": { a: 1 }',
      'cases[6].context["s3:max-keys"]: must be a value',
    ],
    [
      'a context key twice in two cases',
      '"s3:max-keys": 5000',
      '"s3:max-keys": 5000, "S3:max-keys": 5',
      '"s3:max-keys" is given twice',
    ],
    [
      'a repeated YAML key',
      'expect: explicitDeny',
      'expect: explicitDeny\n    expect: allow',
      'the key is repeated',
    ],
    ['broken YAML', 'cases:\n', 'cases: [\n', 'cases-'],
    ['a misspelt section', 'cases:\n', 'case:\n', 'case: unknown key (did you mean "cases"?)'],
    ['a configuration that is not text', 'config: sidecar.yaml', 'config: [a]', 'config: must be text'],
  ])('for %s, and decides nothing', async (_, from, to, message) => {
    const { code, data, prose } = await check(changed(from, to));
    expect([code, data]).toEqual([2, '']);
    expect(prose).toContain(message);
    expect(prose).toMatch(/cases-\d+\.yaml:\d+:\d+ /);
  });

  it.each([
    ['no cases', 'config: sidecar.yaml\ncases: []\n', 'cases: must hold at least one case'],
    ['cases that are missing', 'config: sidecar.yaml\n', 'cases: is required'],
    ['a list', '- name: a\n', 'must be a mapping'],
    ['an empty file', '', 'the file is empty'],
    ['text', 'cases', 'must be a mapping'],
  ])('for %s', async (_, text, message) => {
    const { code, data, prose } = await check(text);
    expect([code, data]).toEqual([2, '']);
    expect(prose).toContain(message);
  });

  it('for all problems at once', async () => {
    const text = changed('user/staff/alice', 'user/staff/alcie').replace(
      'expect: explicitDeny',
      'expect: no',
    );
    const { prose } = await check(text.replace('name: company', 'name: compny'));
    expect(prose.split('\n')).toHaveLength(2);
  });

  it('for files that are missing, and when no configuration is named', async () => {
    expect((await execute('policy', 'test', missingFile)).prose).toContain('ENOENT');
    expect((await execute('policy', 'test', missingFile)).code).toBe(2);
    expect((await execute('policy', 'test')).code).toBe(2);
    const { code, prose } = await check(passing.replace('config: sidecar.yaml\n', ''));
    expect(code).toBe(2);
    expect(prose).toContain('config: is required, or --config, or STS_SIDECAR_CONFIG');
  });

  it('for a broken configuration, with the problems of the cases too', async () => {
    const broken = file('broken.yaml', policyConfiguration.replace('users:', 'usres:'));
    const { code, prose } = await check(changed('expect: explicitDeny', 'expect: no'), '--config', broken);
    expect(code).toBe(2);
    expect(prose).toMatch(/cases-\d+\.yaml:\d+:\d+ cases\[1\]\.expect: /);
    expect(prose).toMatch(/broken\.yaml:\d+:\d+ .*did you mean "users"/);
    expect(prose).not.toContain('a-literal-secret');
  });
});
