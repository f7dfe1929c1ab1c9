// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import { describe, expect, it } from 'vitest';
import { configuration, load } from './samples.ts';

const account = '123456789012';

interface Statement {
  readonly [element: string]: unknown;
}

/** A directory in which every kind of policy can be tried, as one line of YAML. */
function directory(policies: Readonly<Record<string, unknown>>): string {
  const everyone = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
  };
  return `directory: ${JSON.stringify({
    users: [{ name: 'alice', path: '/staff/' }, { name: 'bob' }],
    roles: [
      { name: 'data-reader', trustPolicy: everyone },
      { name: 'pod', path: '/apps/', trustPolicy: policies['trust'] ?? everyone },
    ],
    policies: policies['identity'] === undefined ? {} : { Tried: policies['identity'] },
    bucketPolicies: policies['bucket'] === undefined ? {} : { reports: policies['bucket'] },
    identityProviders: [
      { kind: 'oidc', name: 'company', issuer: 'https://login.example.com', clientIds: ['a'] },
      { kind: 'oidc', name: 'lab', issuer: 'https://lab.example.com:8443/realms/a', clientIds: ['a'] },
    ],
  })}`;
}

function warningsOf(kind: 'identity' | 'trust' | 'bucket', policy: object): readonly string[] {
  return load(configuration({ directory: directory({ [kind]: policy }) })).warnings.map((warning) =>
    // Without the place, which other tests check.
    warning.replace(/^sidecar\.yaml:\d+:\d+ directory\.\S*? warning: /, ''),
  );
}

function identity(statement: Statement, version = '2012-10-17'): readonly string[] {
  const defaults = {
    Effect: 'Allow',
    ...('NotAction' in statement ? {} : { Action: 's3:*' }),
    ...('NotResource' in statement ? {} : { Resource: '*' }),
  };
  return warningsOf('identity', { Version: version, Statement: { ...defaults, ...statement } });
}

function trust(statement: Statement): readonly string[] {
  const defaults = { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' };
  return warningsOf('trust', { Version: '2012-10-17', Statement: [{ ...defaults, ...statement }] });
}

describe('a warning', () => {
  it('has the place of the text, and a suggestion', () => {
    const text = configuration({
      directory: `directory:
  policies:
    Read:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Action: [s3:GetObject, "s3:GetObjects"]
          Resource: arn:aws:s3::reports/*
          Condition:
            StringEquals:
              aws:usrname: x
  users:
    - name: alice
      inlinePolicies:
        Home: { Version: "2012-10-17", Statement: { Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::home/\${aws:usrname}/*" } }
`,
    });
    expect(load(text).warnings).toEqual([
      'sidecar.yaml:15:34 directory.policies.Read.Statement[0].Action[1]: warning: no request asks for the action "s3:GetObjects" (did you mean "s3:GetObject"?)',
      'sidecar.yaml:16:21 directory.policies.Read.Statement[0].Resource: warning: "arn:aws:s3::reports/*" names no bucket and no object: their ARNs begin with "arn:aws:s3:::" and the name of the bucket (did you mean "arn:aws:s3:::reports/*"?)',
      'sidecar.yaml:19:15 directory.policies.Read.Statement[0].Condition.StringEquals["aws:usrname"]: warning: no request has the key "aws:usrname" (did you mean "aws:username"?)',
      'sidecar.yaml:23:93 directory.users[0].inlinePolicies.Home.Statement.Resource: warning: ${aws:usrname}: no request has the key "aws:usrname" (did you mean "aws:username"?)',
    ]);
  });

  it('is about the directory file when the directory has its own file', () => {
    const files = {
      'directory.yaml':
        'policies:\n  P: { Statement: { Effect: Allow, Action: "s3:GetObjects", Resource: "*" } }\n',
    };
    const text = configuration({ directory: 'directoryFile: directory.yaml' });
    expect(load(text, { files }).warnings).toEqual([
      'directory.yaml:2:44 policies.P.Statement.Action: warning: no request asks for the action "s3:GetObjects" (did you mean "s3:GetObject"?)',
    ]);
  });
});

describe('an action', () => {
  it.each([
    ['s3:GetObjects', 'the action "s3:GetObjects" (did you mean "s3:GetObject"?)'],
    ['s3:getobjectss', 'the action "s3:getobjectss" (did you mean "s3:GetObject"?)'],
    ['S3:ListBuckets', 'the action "S3:ListBuckets" (did you mean "s3:ListBucket"?)'],
    ['s3:HeadObject', 'the action "s3:HeadObject" (did you mean "s3:GetObject"?)'],
    ['s3:Gett*', 'an action like "s3:Gett*"'],
    ['s3:Put?bject', undefined],
    ['sts:AssumeRoles', 'the action "sts:AssumeRoles" (did you mean "sts:AssumeRole"?)'],
    ['sts:Assume-*', 'an action like "sts:Assume-*"'],
  ])('that no request asks for is named: %s', (action, what) => {
    const expected = what === undefined ? [] : [`no request asks for ${what}`];
    expect(identity({ Action: action })).toEqual(expected);
    expect(identity({ NotAction: [action] })).toEqual(expected);
    expect(identity({ Effect: 'Deny', Action: action })).toEqual(expected);
  });

  it.each([
    '*',
    '*:*',
    's3:*',
    's3:Get*',
    'S3:GETOBJECT',
    's3:GetObjectVersionTagging',
    's3:BypassGovernanceRetention',
    's3:ReplicateObject',
    'sns:Publish',
    'kms:Decrypt',
    'sts:GetCallerIdentity',
    'sts:GetSessionToken',
    'sts:TagSession',
    'sts:Get*',
  ])('that a request can ask for, or that belongs to another service, is accepted: %s', (action) => {
    expect(identity({ Action: action })).toEqual([]);
  });

  it('of a trust policy has to be one that trust policies are asked about', () => {
    expect(trust({ Action: ['sts:AssumeRole', 'sts:TagSession'] })).toEqual([]);
    expect(trust({ Action: 'sts:*' })).toEqual([]);
    expect(trust({ Action: 'sts:AssumeRoleWithWebIdentiy' })).toEqual([
      'no request asks a trust policy for the action "sts:AssumeRoleWithWebIdentiy" (did you mean "sts:AssumeRoleWithWebIdentity"?)',
    ]);
    for (const action of ['s3:GetObject', 'sts:GetFederationToken', 's3:*', 'kms:Decrypt']) {
      expect(trust({ Action: action })[0]).toContain('no request asks a trust policy for');
    }
  });
});

describe('an ARN', () => {
  const begin =
    'names no bucket and no object: their ARNs begin with "arn:aws:s3:::" and the name of the bucket';

  it.each([
    ['arn:aws:s3::reports/*', `${begin} (did you mean "arn:aws:s3:::reports/*"?)`],
    ['arn:aws:s3:reports/*', `${begin} (did you mean "arn:aws:s3:::reports/*"?)`],
    ['arn:aws:s3::reports/a:b', `${begin} (did you mean "arn:aws:s3:::reports/a:b"?)`],
    ['arn:aws:s3::::reports/*', `${begin} (did you mean "arn:aws:s3:::reports/*"?)`],
    ['arn:aws:s3:::/reports/*', `${begin} (did you mean "arn:aws:s3:::reports/*"?)`],
    ['arn:aws:s3:us-east-1::reports/*', `${begin} (did you mean`],
    ['arn:aws:s3::123456789012:reports/*', begin],
    ['arn:aws:s3:us-east-1:123456789012:accesspoint/a', begin],
    ['arn:aws-cn:s3:::reports/*', 'names no bucket and no object: the partition of the account is "aws"'],
    ['arn:aws:S3:::reports/*', 'names no resource: the service is spelt "s3"'],
  ])('that no bucket or object can have is named: %s', (arn, message) => {
    const found = identity({ Resource: arn });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${JSON.stringify(arn)} ${message}`);
    expect(identity({ Action: 's3:GetObject', Resource: ['arn:aws:s3:::a/*', arn] })).toEqual(found);
  });

  it.each([
    '*',
    'arn:aws:s3:::reports',
    'arn:aws:s3:::reports/*',
    'arn:aws:s3:::*',
    'arn:aws:s3:*',
    'arn:aws:s3:::${aws:username}/*',
    'arn:*:s3:::reports/*',
    'arn:aws:s3:*:*:reports/*',
    'arn:aws:sns:us-east-1:123456789012:topic',
    'arn:aws:*:::reports/*',
  ])('that a resource can have is accepted: %s', (arn) => {
    expect(identity({ Resource: arn })).toEqual([]);
  });

  it.each([
    ['s3:ListBucket', 'arn:aws:s3:::reports/*', 'applies to buckets, and this statement names none'],
    ['s3:GetObject', 'arn:aws:s3:::reports', 'applies to objects, and this statement names none'],
    ['s3:DeleteObject', 'arn:aws:s3:::reports', 'applies to objects, and this statement names none'],
    ['s3:ListAllMyBuckets', 'arn:aws:s3:::reports', 'applies to all buckets ("*"), and this statement'],
    ['s3:GetObject', 'arn:aws:sns:us-east-1:123456789012:a', 'applies to objects, and this statement'],
  ])('has to be of a kind that the action works on: %s on %s', (action, arn, message) => {
    const found = identity({ Action: action, Resource: arn });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${JSON.stringify(action)} ${message}`);
    expect(identity({ Action: action, Resource: [arn, '*'] })).toEqual([]);
    expect(identity({ Action: action, NotResource: arn })).toEqual([]);
  });

  it.each([
    ['s3:ListBucket', 'arn:aws:s3:::*'],
    ['s3:ListBucket', 'arn:aws:s3:::rep?rts'],
    ['s3:GetObject', 'arn:aws:s3:::reports*'],
    ['s3:GetObject', 'arn:aws:s3:::${aws:PrincipalTag/home}'],
    ['s3:ListAllMyBuckets', 'arn:aws:s3:::*'],
    ['s3:List*', 'arn:aws:s3:::reports/*'],
    ['sns:Publish', 'arn:aws:sns:us-east-1:123456789012:a'],
    ['iam:PassRole', 'arn:aws:iam::210987654321:role/replication'],
  ])('may be of a kind that the action works on: %s on %s', (action, arn) => {
    expect(identity({ Action: action, Resource: arn })).toEqual([]);
  });

  it.each([
    [
      'arn:aws:iam::123456789012:role/data-readr',
      'the directory has no role "arn:aws:iam::123456789012:role/data-readr" (did you mean "arn:aws:iam::123456789012:role/data-reader"?)',
    ],
    [
      'arn:aws:iam::123456789012:role/pod',
      'the directory has no role "arn:aws:iam::123456789012:role/pod" (did you mean "arn:aws:iam::123456789012:role/apps/pod"?)',
    ],
    [
      'arn:aws:iam::210987654321:role/data-reader',
      '"arn:aws:iam::210987654321:role/data-reader" names nothing of this account: its id is "123456789012"',
    ],
    [
      'arn:aws:iam:us-east-1:123456789012:role/a',
      '"arn:aws:iam:us-east-1:123456789012:role/a" names nothing of this account: ARNs of iam have no region',
    ],
    [
      'arn:aws:iam::role/data-reader',
      '"arn:aws:iam::role/data-reader" names nothing of this account: its id is "123456789012"',
    ],
  ])('of a role that cannot be assumed is named: %s', (arn, message) => {
    expect(identity({ Action: 'sts:AssumeRole', Resource: arn })).toEqual([message]);
  });

  it.each([
    'arn:aws:iam::123456789012:role/data-reader',
    'arn:aws:iam::123456789012:role/apps/pod',
    'arn:aws:iam::123456789012:role/apps/*',
    'arn:aws:iam::*:role/${aws:username}',
    'arn:minio:iam:::role/a',
  ])('of a role that can be assumed is accepted: %s', (arn) => {
    expect(identity({ Action: 'sts:AssumeRole', Resource: arn })).toEqual([]);
  });
});

describe('a condition key', () => {
  const under = (key: string, operator = 'StringEquals', value = 'x'): readonly string[] =>
    identity({ Condition: { [operator]: { [key]: value } } });

  it.each([
    ['aws:SourceIP4', '"aws:SourceIP4" (did you mean "aws:SourceIp"?)'],
    ['aws:PrincipalTags/team', '"aws:PrincipalTags/team" (did you mean "aws:PrincipalTag/team"?)'],
    ['aws:PrincipalTag/', '"aws:PrincipalTag/"'],
    ['aws:PrincipalTag', '"aws:PrincipalTag"'],
    ['s3:prefx', '"s3:prefx" (did you mean "s3:prefix"?)'],
    ['s3:ExistingObjectTags/a', '"s3:ExistingObjectTags/a" (did you mean "s3:ExistingObjectTag/a"?)'],
    ['sts:ExternalID2', '"sts:ExternalID2" (did you mean "sts:ExternalId"?)'],
    ['saml:subject', '"saml:subject"'],
  ])('that no request has is named: %s', (key, what) => {
    const [found, ...others] = under(key);
    expect(others).toEqual([]);
    expect(found).toContain(`no request has the key ${what}`);
    // A condition on what is never there holds for everyone under these.
    expect(under(key, 'StringNotEquals')).toEqual([found]);
    expect(under(key, 'StringEqualsIfExists')).toEqual([found]);
  });

  it.each([
    ['s3:TlsVersion', 'proxies do not say which version they speak'],
    ['s3:DataAccessPointArn', 'there are no access points'],
    ['aws:SourceVpce', 'there are no VPC endpoints'],
    ['aws:PrincipalOrgID', 'there are no organizations'],
  ])('of AWS alone is named with the reason, unless the condition allows for that: %s', (key, reason) => {
    expect(under(key)[0]).toContain(`no request has the key "${key}" here: ${reason}`);
    for (const operator of ['StringNotEquals', 'StringEqualsIfExists', 'ForAllValues:StringLike']) {
      expect(under(key, operator)).toEqual([]);
    }
    expect(under(key, 'Null', 'true')).toEqual([]);
  });

  it.each([
    'aws:username',
    'AWS:SOURCEIP',
    'aws:PrincipalTag/any/thing',
    'aws:RequestTag/team',
    's3:x-amz-acl',
    's3:ExistingObjectTag/a',
    'saml:edupersonaffiliation',
    'iam:ResourceTag/team',
    'kms:ViaService',
    'login.example.com:email',
    'lab.example.com:8443/realms/a:sub',
    'LOGIN.example.com:sub',
  ])('that a request can have is accepted: %s', (key) => {
    expect(under(key, 'StringLike')).toEqual([]);
  });

  it.each([
    ['login.exmple.com:sub', ' (did you mean "login.example.com:sub"?)'],
    ['accounts.google.com:aud', ''],
    ['lab.example.com:8443/realms/b:sub', ' (did you mean "lab.example.com:8443/realms/a:sub"?)'],
  ])('of an issuer that no provider has is named: %s', (key, suggestion) => {
    const message = `no identity provider has the claim ${JSON.stringify(key)}${suggestion}`;
    expect(under(key)).toEqual([message]);
  });
});

describe('a variable', () => {
  it.each([
    [
      '${aws:usrname}',
      ['${aws:usrname}: no request has the key "aws:usrname" (did you mean "aws:username"?)'],
    ],
    [
      "${aws:usrname, 'x'}",
      ['${aws:usrname}: no request has the key "aws:usrname" (did you mean "aws:username"?)'],
    ],
    [
      '${aws:SourceVpce}',
      ['${aws:SourceVpce}: no request has the key "aws:SourceVpce" here: there are no VPC endpoints'],
    ],
    ["${aws:SourceVpce, 'none'}", []],
    [
      '${login.exmple.com:sub}',
      [
        '${login.exmple.com:sub}: no identity provider has the claim "login.exmple.com:sub" (did you mean "login.example.com:sub"?)',
      ],
    ],
    ['${aws:username}/${aws:PrincipalTag/team}', []],
    ['${*}${?}${$}', []],
  ])('has to be a key that requests have: %s', (text, messages) => {
    expect(identity({ Resource: `arn:aws:s3:::home/${text}/*` })).toEqual(messages);
    expect(identity({ Condition: { StringLike: { 's3:prefix': [text] } } })).toEqual(messages);
  });

  it('needs the version that has variables', () => {
    expect(identity({ Resource: 'arn:aws:s3:::home/${aws:username}/*' }, '2008-10-17')).toEqual([
      '${aws:username}: is plain text: variables need "Version": "2012-10-17"',
    ]);
  });
});

describe('a principal', () => {
  const has = 'the directory has no';
  it.each([
    [
      'arn:aws:iam::123456789012:user/bobb',
      `${has} user "arn:aws:iam::123456789012:user/bobb" (did you mean "arn:aws:iam::123456789012:user/bob"?)`,
    ],
    [
      'arn:aws:iam::123456789012:user/alice',
      `${has} user "arn:aws:iam::123456789012:user/alice" (did you mean "arn:aws:iam::123456789012:user/staff/alice"?)`,
    ],
    [
      'arn:aws:iam::123456789012:role/data-writer',
      `${has} role "arn:aws:iam::123456789012:role/data-writer" (did you mean "arn:aws:iam::123456789012:role/data-reader"?)`,
    ],
    [
      'arn:aws:sts::123456789012:assumed-role/podd/me',
      `${has} role "arn:aws:sts::123456789012:assumed-role/podd/me" (did you mean "arn:aws:sts::123456789012:assumed-role/pod/me"?)`,
    ],
  ])('that does not exist is named: %s', (arn, message) => {
    expect(trust({ Principal: { AWS: [account, arn] } })).toEqual([message]);
    const bucket = {
      Effect: 'Deny',
      NotPrincipal: { AWS: arn },
      Action: 's3:*',
      Resource: 'arn:aws:s3:::reports/*',
    };
    expect(warningsOf('bucket', { Statement: bucket })).toEqual([message]);
  });

  it.each([
    '*',
    account,
    'arn:aws:iam::123456789012:root',
    'arn:aws:iam::123456789012:user/staff/alice',
    'arn:aws:iam::123456789012:role/apps/pod',
    'arn:aws:sts::123456789012:assumed-role/pod/any-session',
    'arn:aws:sts::123456789012:federated-user/anyone',
    // Nothing is known about other accounts.
    'arn:aws:iam::210987654321:role/other',
  ])('that may exist is accepted: %s', (arn) => {
    expect(trust({ Principal: { AWS: arn } })).toEqual([]);
  });
});
