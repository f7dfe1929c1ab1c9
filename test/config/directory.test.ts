import { describe, expect, it } from 'vitest';
import { configuration, load, problemsOf, validSections } from './samples.ts';

const allow = '{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }';
const trust =
  '{ Version: "2012-10-17", Statement: { Effect: Allow, Principal: { AWS: "123456789012" }, Action: "sts:AssumeRole" } }';

/** A policy whose compact JSON has exactly this many characters. */
function policyOf(characters: number): string {
  const frame = '{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":""}]}'.length;
  return `{ Statement: [ { Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/${'k'.repeat(characters - frame - 15)}" } ] }`;
}

function withDirectory(...lines: readonly string[]): string {
  return configuration({ directory: ['directory:', ...lines.map((line) => `  ${line}`)].join('\n') });
}

/** Problems of a directory, without their positions. */
function problemsWith(...lines: readonly string[]): string[] {
  return problemsOf(withDirectory(...lines)).map((problem) => problem.replace(/^sidecar\.yaml:\d+:\d+ /, ''));
}

describe('directory records', () => {
  it('reads users and roles with everything they can have', () => {
    const { directory } = load(
      withDirectory(
        `policies: { Read: { Statement: ${allow} } }`,
        'users:',
        '  - { name: bob, path: /team/blue/, policies: [Read], permissionsBoundary: Read, userId: AIDABOB000000000, tags: { team: blue }, inlinePolicies: { Own: { Statement: { Effect: Deny, Action: "s3:*", Resource: "*", Condition: { Bool: { "aws:SecureTransport": false } } } } } }',
        'roles:',
        `  - { name: reader, permissionsBoundary: null, roleId: AROAREADER000000, maxSessionDurationSeconds: 31536000, trustPolicy: ${trust} }`,
      ),
    );
    expect(directory.account).toEqual({ id: '123456789012', partition: 'aws' });
    const [bob] = directory.users;
    expect(bob).toMatchObject({
      name: 'bob',
      path: '/team/blue/',
      policies: ['Read'],
      permissionsBoundary: 'Read',
      userId: 'AIDABOB000000000',
    });
    expect(bob?.tags).toEqual(new Map([['team', 'blue']]));
    expect(bob?.inlinePolicies[0]?.document.statements[0]?.conditions[0]?.values).toEqual(['false']);
    expect(directory.roles[0]).toMatchObject({
      roleId: 'AROAREADER000000',
      maxSessionDurationSeconds: 31_536_000,
    });
    expect(directory.roles[0]).not.toHaveProperty('permissionsBoundary');
  });

  it('keeps an unquoted account id of a condition as the digits it was written with', () => {
    const condition = '{ StringEquals: { "aws:PrincipalAccount": 012345678901 } }';
    const statement = `{ Effect: Allow, Action: "s3:*", Resource: "*", Condition: ${condition} }`;
    const { directory } = load(withDirectory(`policies: { Own: { Statement: ${statement} } }`));
    expect(directory.policies[0]?.document.statements[0]?.conditions[0]?.values).toEqual(['012345678901']);
  });

  it('reads the keys of root', () => {
    const key = '{ accessKeyId: AKIAROOTROOTROOTROOT, secretAccessKey: { env: ALICE_SECRET } }';
    const { directory } = load(withDirectory(`root: { accessKeys: [${key}] }`));
    expect(directory.rootAccessKeys.map(({ accessKeyId }) => accessKeyId)).toEqual(['AKIAROOTROOTROOTROOT']);
    expect(load(withDirectory('users: []')).directory.rootAccessKeys).toEqual([]);
  });

  it.each([
    ['another field', 'root: { policies: [] }', /^directory\.root\.policies: /],
    ['a list', 'root: []', /^directory\.root: /],
    [
      'a key without a secret',
      'root: { accessKeys: [{ accessKeyId: AKIAROOTROOTROOTROOT }] }',
      /secretAccessKey/,
    ],
    [
      'a temporary key',
      'root: { accessKeys: [{ accessKeyId: ASIAROOTROOTROOTROOT, secretAccessKey: { env: ALICE_SECRET } }] }',
      /^directory\.root\.accessKeys\[0\]\.accessKeyId: must not start with ASIA/,
    ],
  ])('rejects root with %s', (_, text, expected) => {
    expect(problemsWith(text).join('\n')).toMatch(expected);
  });

  it('reads bucket policies', () => {
    const { directory } = load(
      withDirectory(
        'bucketPolicies: { data: { Statement: { Effect: Deny, Principal: "*", Action: "s3:*", Resource: ["arn:aws:s3:::data", "arn:aws:s3:::dat*"] } } }',
      ),
    );
    expect(directory.bucketPolicies).toMatchObject([{ bucket: 'data', document: { kind: 'resource' } }]);
  });

  it.each([
    ['the bucket "a"', 'a: {}', 'directory.bucketPolicies.a: must be the name of a bucket'],
    [
      'a policy without a Principal',
      'data: { Statement: { Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::data" } }',
      'directory.bucketPolicies.data.Statement[0]: must have exactly one of Principal and NotPrincipal',
    ],
    [
      'a resource of another bucket',
      'data: { Statement: [ { Effect: Deny, Principal: "*", Action: "s3:*", Resource: ["arn:aws:s3:::data/*", "arn:aws:s3:::data2/*"] } ] }',
      'directory.bucketPolicies.data.Statement[0]: names a resource that is not of the bucket data',
    ],
    [
      'NotPrincipal with Allow',
      'data: { Statement: { Effect: Allow, NotPrincipal: { AWS: "123456789012" }, Action: "s3:*", Resource: "arn:aws:s3:::data" } }',
      'directory.bucketPolicies.data.Statement[0].NotPrincipal: is not allowed with Effect Allow',
    ],
  ])('rejects %s among the bucket policies', (_, entry, message) => {
    const problems = problemsWith(`bucketPolicies: { ${entry} }`);
    expect(problems[0]).toContain(message);
  });

  it('reads the enforcement of a role, and warns of audit', () => {
    const { directory, warnings } = load(
      withDirectory(
        'roles:',
        `  - { name: strict, enforcement: enforce, trustPolicy: ${trust} }`,
        `  - { name: watched, enforcement: audit, trustPolicy: ${trust} }`,
        `  - { name: plain, trustPolicy: ${trust} }`,
      ),
    );
    expect(directory.roles.map(({ enforcement }) => enforcement)).toEqual(['enforce', 'audit', undefined]);
    expect(warnings.filter((warning) => warning.includes('audit'))).toHaveLength(1);
    expect(problemsWith(`roles: [ { name: r, enforcement: off, trustPolicy: ${trust} } ]`)[0]).toMatch(
      /^directory\.roles\[0\]\.enforcement: must be one of "enforce", "audit"/,
    );
  });

  it('reads the devices of users', () => {
    const device = '{ serialNumber: "arn:aws:iam::123456789012:mfa/bob", totpSecret: { file: totp } }';
    const text = withDirectory(`users: [ { name: bob, mfaDevices: [${device}] } ]`);
    const { directory } = load(text, { files: { totp: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n' } });
    const [found] = directory.users[0]?.mfaDevices ?? [];
    expect(found?.serialNumber).toBe('arn:aws:iam::123456789012:mfa/bob');
    expect(found?.totpSecret.reveal()).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  });

  it.each([
    [
      'a short serial number',
      '{ serialNumber: abc, totpSecret: GEZDGNBVGY3TQOJQ }',
      'serialNumber: must be 9 to 256',
    ],
    [
      'a serial number with a space',
      '{ serialNumber: "GAHT 12345678", totpSecret: GEZDGNBVGY3TQOJQ }',
      'serialNumber: must be',
    ],
    [
      'a secret that is not base32',
      '{ serialNumber: GAHT12345678, totpSecret: "0123456789012345" }',
      'totpSecret: must be 16',
    ],
    ['a short secret', '{ serialNumber: GAHT12345678, totpSecret: GEZDGNBV }', 'totpSecret: must be 16'],
    [
      'a small secret',
      '{ serialNumber: GAHT12345678, totpSecret: gezdgnbvgy3tqojq }',
      'totpSecret: must be 16',
    ],
    ['no secret', '{ serialNumber: GAHT12345678 }', 'totpSecret'],
    [
      'a device of another user',
      '{ serialNumber: GAHT12345678, totpSecret: GEZDGNBVGY3TQOJQ }, { serialNumber: gaht12345678, totpSecret: GEZDGNBVGY3TQOJQ }',
      'serialNumber: repeats an MFA device',
    ],
  ])('rejects %s', (_, devices, expected) => {
    expect(problemsWith(`users: [ { name: bob, mfaDevices: [${devices}] } ]`).join('\n')).toContain(expected);
  });

  it('reports missing managed policies wherever they are named', () => {
    expect(
      problemsWith(
        'users: [ { name: bob, policies: [Nothing] } ]',
        `roles: [ { name: r, trustPolicy: ${trust}, policies: [Nothing] } ]`,
      ),
    ).toEqual([
      'directory.users[0].policies[0]: no managed policy is named "Nothing"',
      'directory.roles[0].policies[0]: no managed policy is named "Nothing"',
    ]);
  });

  it.each([
    ['a name with a slash', 'users: [ { name: a/b } ]', 'directory.users[0].name: must be 1 to 64'],
    ['a missing name', 'users: [ { path: / } ]', 'directory.users[0].name: is required'],
    [
      'a path without slashes',
      'users: [ { name: a, path: team } ]',
      'directory.users[0].path: must start and end',
    ],
    [
      'a wildcard in a path',
      'users: [ { name: a, path: "/*/" } ]',
      'directory.users[0].path: must start and end',
    ],
    [
      'a role id for a user',
      'users: [ { name: a, userId: AROA000000000000 } ]',
      'directory.users[0].userId: must be AIDA',
    ],
    [
      'a tag of AWS',
      'users: [ { name: a, tags: { "aws:x": y } } ]',
      'directory.users[0].tags["aws:x"]: must be a tag key',
    ],
    [
      'a tag that is a number',
      'users: [ { name: a, tags: { cost: 12 } } ]',
      'directory.users[0].tags.cost: must be text',
    ],
    [
      'tags that differ in case',
      'users: [ { name: a, tags: { Team: x, team: y } } ]',
      'directory.users[0].tags: must not hold keys',
    ],
    [
      'a policy name with a space',
      `policies: { "a b": { Statement: ${allow} } }`,
      'directory.policies["a b"]: must be 1 to 128',
    ],
    [
      'an inline policy name with a space',
      `users: [ { name: a, inlinePolicies: { "a b": { Statement: ${allow} } } } ]`,
      'directory.users[0].inlinePolicies["a b"]: must be 1 to 128',
    ],
    ['a list of policies', 'policies: []', 'directory.policies: must be a mapping'],
    ['a mapping of users', 'users: {}', 'directory.users: must be a list'],
    ['a user that is a word', 'users: [ alice ]', 'directory.users[0]: must be a mapping'],
    ['a role without trust policy', 'roles: [ { name: r } ]', 'directory.roles[0].trustPolicy: is required'],
    [
      'a Resource in a trust policy',
      'roles: [ { name: r, trustPolicy: { Statement: { Effect: Allow, Principal: "*", Action: "sts:*", Resource: "*" } } } ]',
      'directory.roles[0].trustPolicy.Statement[0].Resource: is not allowed',
    ],
    [
      'a session of less than an hour',
      `roles: [ { name: r, maxSessionDurationSeconds: 3599, trustPolicy: ${trust} } ]`,
      'directory.roles[0].maxSessionDurationSeconds: must be',
    ],
    [
      'a session of more than a year',
      `roles: [ { name: r, maxSessionDurationSeconds: 31536001, trustPolicy: ${trust} } ]`,
      'directory.roles[0].maxSessionDurationSeconds: must be',
    ],
    [
      'a policy that is attached twice',
      `policies: { P: { Statement: ${allow} } }\n  users: [ { name: a, policies: [P, P] } ]`,
      'directory.users[0].policies[1]: repeats "P"',
    ],
    [
      'an unknown boundary',
      'users: [ { name: a, permissionsBoundary: Bound } ]',
      'directory.users[0].permissionsBoundary: no managed policy is named "Bound"',
    ],
    [
      'an access key without a secret',
      'users: [ { name: a, accessKeys: [ { accessKeyId: AKIA0000 } ] } ]',
      'directory.users[0].accessKeys[0].secretAccessKey: is required',
    ],
    [
      'a short secret',
      'users: [ { name: a, accessKeys: [ { accessKeyId: AKIA0000, secretAccessKey: short } ] } ]',
      'directory.users[0].accessKeys[0].secretAccessKey: must be 8 to 128',
    ],
  ])('rejects %s', (_, line, problem) => {
    const problems = problemsWith(line);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('rejects more than 50 tags', () => {
    const tags = Array.from({ length: 51 }, (_, index) => `t${index}: x`).join(', ');
    expect(problemsWith(`users: [ { name: a, tags: { ${tags} } } ]`)).toEqual([
      'directory.users[0].tags: must not hold more than 50 tags',
    ]);
  });

  it('rejects an access key id that two users have', () => {
    const keys = '[ { accessKeyId: AKIASAME, secretAccessKey: { env: ALICE_SECRET } } ]';
    expect(
      problemsWith(`users: [ { name: a, accessKeys: ${keys} }, { name: b, accessKeys: ${keys} } ]`),
    ).toEqual(['directory.users[1].accessKeys[0].accessKeyId: repeats the access key id of another key']);
  });

  it.each([
    ['managed', 6144, (text: string) => `policies: { P: ${text} }`, 'policies.P'],
    [
      'inline of a user',
      2048,
      (text: string) => `users: [ { name: a, inlinePolicies: { P: ${text} } } ]`,
      'users[0].inlinePolicies',
    ],
    [
      'inline of a role',
      10_240,
      (text: string) => `roles: [ { name: r, trustPolicy: ${trust}, inlinePolicies: { P: ${text} } } ]`,
      'roles[0].inlinePolicies',
    ],
  ])('accepts a policy (%s) at its quota and rejects one character more', (_, limit, line, path) => {
    expect(() => load(withDirectory(line(policyOf(limit))))).not.toThrow();
    const problems = problemsWith(line(policyOf(limit + 1)));
    expect(problems[0]).toContain(`directory.${path}`);
    expect(problems[0]).toContain(`is longer than ${limit} characters, white space not counted`);
  });

  it('counts the inline policies of a user together', () => {
    const inline = `{ P: ${policyOf(1025)}, Q: ${policyOf(1024)} }`;
    expect(problemsWith(`users: [ { name: a, inlinePolicies: ${inline} } ]`)).toEqual([
      'directory.users[0].inlinePolicies: is longer than 2048 characters, white space not counted',
    ]);
  });

  it('rejects a trust policy over 4096 characters', () => {
    const principals = Array.from(
      { length: 100 },
      (_, index) => `"arn:aws:iam::123456789012:user/${'u'.repeat(20)}${index}"`,
    );
    const policy = `{ Statement: { Effect: Allow, Principal: { AWS: [ ${principals.join(', ')} ] }, Action: "sts:AssumeRole" } }`;
    expect(problemsWith(`roles: [ { name: r, trustPolicy: ${policy} } ]`)).toEqual([
      'directory.roles[0].trustPolicy: is longer than 4096 characters, white space not counted',
    ]);
  });
});

describe('directoryFile', () => {
  const main = configuration({ directory: 'directoryFile: people/directory.yaml' });

  it('reports problems with the name and the places of that file', () => {
    const files = { 'people/directory.yaml': 'users:\n  - name: alice\n    polices: []\n' };
    expect(problemsOf(main, { files })).toEqual([
      'people/directory.yaml:3:5 users[0].polices: unknown key (did you mean "policies"?)',
    ]);
  });

  it('reports unknown settings there too', () => {
    expect(problemsOf(main, { files: { 'people/directory.yaml': 'root: { policies: [] }' } })).toEqual([
      expect.stringContaining('people/directory.yaml:1:9 root.policies: unknown key'),
    ]);
  });

  it('rejects a missing, empty or malformed file', () => {
    expect(problemsOf(main)).toEqual([
      'sidecar.yaml:9:16 directoryFile: the file "people/directory.yaml" cannot be read: ENOENT',
    ]);
    expect(problemsOf(main, { files: { 'people/directory.yaml': '' } })).toEqual([
      'people/directory.yaml:1:1 the file is empty',
    ]);
    expect(problemsOf(main, { files: { 'people/directory.yaml': 'a: 1\na: 2' } })).toEqual([
      'people/directory.yaml:1:1 a: unknown key',
      'people/directory.yaml:2:1 the key is repeated',
    ]);
  });

  it('rejects directory and directoryFile together, and neither', () => {
    const both = configuration({ directory: `${validSections['directory']}\ndirectoryFile: x.yaml` });
    expect(problemsOf(both)).toEqual(['sidecar.yaml:20:1 directoryFile: cannot be combined with directory']);
    expect(problemsOf(configuration({ directory: undefined }))).toEqual([
      'sidecar.yaml:1:1 directory or directoryFile is required',
    ]);
  });

  it('rejects a directoryFile that is not a path', () => {
    expect(problemsOf(configuration({ directory: 'directoryFile: 5' }))).toEqual([
      'sidecar.yaml:9:16 directoryFile: must be text (numbers in quotes)',
    ]);
    expect(problemsOf(configuration({ directory: 'directoryFile: ""' }))[0]).toContain(
      'directoryFile: must be the path of a file',
    );
  });
});
