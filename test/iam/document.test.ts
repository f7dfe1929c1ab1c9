import { describe, expect, it } from 'vitest';
import {
  PolicyDocumentError,
  type PolicyKind,
  parsePolicyDocument,
  parsePolicyText,
} from '../../src/iam/document.ts';

const account = '123456789012';
const allowGet = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };

function policy(changes: object): object {
  return { Version: '2012-10-17', Statement: { ...allowGet, ...changes } };
}

function bucketPolicy(changes: object): object {
  return policy({ Principal: '*', ...changes });
}

function trustPolicy(changes: object): object {
  const statement = { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole', ...changes };
  return { Version: '2012-10-17', Statement: statement };
}

function condition(operator: string, value: unknown, key = 'aws:username'): object {
  return policy({ Condition: { [operator]: { [key]: value } } });
}

function problemsOf(source: unknown, kind: PolicyKind): readonly { path: string; message: string }[] {
  try {
    parsePolicyDocument(source, kind);
  } catch (error) {
    if (error instanceof PolicyDocumentError) return error.problems;
    throw error;
  }
  return [];
}

/** A variable of policy language. */
const variable = (body: string): string => `$\{${body}}`;

type Rejection = readonly [title: string, kind: PolicyKind, source: unknown, path: string];

const documentRejections: readonly Rejection[] = [
  ['a string', 'identity', 'x', ''],
  ['null', 'identity', null, ''],
  ['a list', 'identity', [], ''],
  ['an unknown element', 'identity', { ...policy({}), Statements: [] }, ''],
  ['an element in the wrong case', 'identity', { version: '2012-10-17', Statement: allowGet }, ''],
  ['another version', 'identity', { Version: '2012-10-18', Statement: allowGet }, 'Version'],
  ['a version that is a number', 'identity', { Version: 2012, Statement: allowGet }, 'Version'],
  ['a version that is null', 'identity', { Version: null, Statement: allowGet }, 'Version'],
  ['an id that is no string', 'identity', { Id: 1, Statement: allowGet }, 'Id'],
  ['no statement', 'identity', { Version: '2012-10-17' }, 'Statement'],
  ['an empty list of statements', 'identity', { Statement: [] }, 'Statement'],
  ['a statement that is a string', 'identity', { Statement: ['x'] }, 'Statement[0]'],
  ['a null statement', 'identity', { Statement: null }, 'Statement[0]'],
  ['an unknown element of a statement', 'identity', policy({ Conditions: {} }), 'Statement[0]'],
  [
    'duplicate Sids',
    'identity',
    {
      Statement: [
        { ...allowGet, Sid: 'A' },
        { ...allowGet, Sid: 'A' },
      ],
    },
    'Statement[1].Sid',
  ],
  ['a Sid with a space', 'identity', policy({ Sid: 'a b' }), 'Statement[0].Sid'],
  ['a Sid that is a number', 'identity', policy({ Sid: 1 }), 'Statement[0].Sid'],
  ['no effect', 'identity', { Statement: { Action: '*', Resource: '*' } }, 'Statement[0].Effect'],
  ['an effect in lower case', 'identity', policy({ Effect: 'allow' }), 'Statement[0].Effect'],
  [
    'more statements than the cap',
    'resource',
    { Statement: Array.from({ length: 401 }, () => 1) },
    'Statement',
  ],
];

const elementRejections: readonly Rejection[] = [
  ['Action beside NotAction', 'identity', policy({ NotAction: 's3:*' }), 'Statement[0]'],
  [
    'neither Action nor NotAction',
    'identity',
    { Statement: { Effect: 'Allow', Resource: '*' } },
    'Statement[0]',
  ],
  ['an empty list of actions', 'identity', policy({ Action: [] }), 'Statement[0].Action'],
  ['an action that is an object', 'identity', policy({ Action: {} }), 'Statement[0].Action'],
  ['an action without service', 'identity', policy({ Action: 'GetObject' }), 'Statement[0].Action'],
  ['an action without name', 'identity', policy({ Action: 's3:' }), 'Statement[0].Action'],
  ['a wildcard inside the service', 'identity', policy({ Action: 's*:GetObject' }), 'Statement[0].Action'],
  [
    'a star as the service of one action',
    'identity',
    policy({ Action: '*:GetObject' }),
    'Statement[0].Action',
  ],
  ['a question mark as the service', 'identity', policy({ Action: '?:*' }), 'Statement[0].Action'],
  ['an action with a space', 'identity', policy({ Action: 's3:Get Object' }), 'Statement[0].Action'],
  [
    'an action with a variable',
    'identity',
    policy({ Action: `s3:${variable('aws:x')}` }),
    'Statement[0].Action',
  ],
  ['Resource beside NotResource', 'identity', policy({ NotResource: '*' }), 'Statement[0]'],
  [
    'neither Resource nor NotResource',
    'identity',
    { Statement: { Effect: 'Allow', Action: '*' } },
    'Statement[0]',
  ],
  ['an empty list of resources', 'identity', policy({ Resource: [] }), 'Statement[0].Resource'],
  ['a bucket name for a resource', 'identity', policy({ Resource: 'bucket/*' }), 'Statement[0].Resource'],
  ['an empty resource', 'identity', policy({ Resource: '' }), 'Statement[0].Resource'],
  ['a path with a leading star', 'identity', policy({ Resource: '*/x' }), 'Statement[0].Resource'],
  ['an ARN without partition', 'identity', policy({ Resource: 'arn::s3:::b' }), 'Statement[0].Resource'],
  ['an ARN without resource', 'identity', policy({ Resource: 'arn:aws:s3:::' }), 'Statement[0].Resource'],
  [
    'a short ARN in a bucket policy',
    'resource',
    bucketPolicy({ Resource: 'arn:aws:s3' }),
    'Statement[0].Resource',
  ],
  [
    'a variable before the fifth colon',
    'identity',
    policy({ Resource: `arn:aws:s3:${variable('aws:r')}::b` }),
    'Statement[0].Resource',
  ],
  [
    'a variable that swallows the fifth colon',
    'identity',
    policy({ Resource: `arn:aws:s3::${variable('aws:r')}` }),
    'Statement[0].Resource',
  ],
  [
    'an unfinished variable',
    'identity',
    policy({ Resource: 'arn:aws:s3:::b/${aws:username' }),
    'Statement[0].Resource',
  ],
  [
    'an empty variable',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('')}` }),
    'Statement[0].Resource',
  ],
  [
    'a variable without prefix',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('username')}` }),
    'Statement[0].Resource',
  ],
  [
    'a variable inside a variable',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('aws:${x')}` }),
    'Statement[0].Resource',
  ],
  [
    'a default without quotes',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable('aws:x, y')}` }),
    'Statement[0].Resource',
  ],
  [
    'an empty default',
    'identity',
    policy({ Resource: `arn:aws:s3:::b/${variable("aws:x, ''")}` }),
    'Statement[0].Resource',
  ],
  [
    'more stars than the cap',
    'session',
    policy({ Resource: `arn:aws:s3:::b/${'*a'.repeat(60)}` }),
    'Statement[0].Resource',
  ],
  ['half a character', 'identity', policy({ Resource: 'arn:aws:s3:::b/\ud83d' }), 'Statement[0].Resource'],
];

const principalRejections: readonly Rejection[] = [
  ['Principal in an identity policy', 'identity', bucketPolicy({}), 'Statement[0].Principal'],
  ['NotPrincipal in a session policy', 'session', policy({ NotPrincipal: '*' }), 'Statement[0].NotPrincipal'],
  ['Principal in a boundary', 'boundary', bucketPolicy({}), 'Statement[0].Principal'],
  ['no Principal in a bucket policy', 'resource', policy({}), 'Statement[0]'],
  ['no Principal in a trust policy', 'trust', trustPolicy({ Principal: undefined }), 'Statement[0]'],
  [
    'Principal beside NotPrincipal',
    'resource',
    bucketPolicy({ NotPrincipal: { AWS: account } }),
    'Statement[0]',
  ],
  ['a Resource in a trust policy', 'trust', trustPolicy({ Resource: '*' }), 'Statement[0].Resource'],
  ['a NotResource in a trust policy', 'trust', trustPolicy({ NotResource: '*' }), 'Statement[0].NotResource'],
  [
    'NotPrincipal in a trust policy',
    'trust',
    trustPolicy({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: account } }),
    'Statement[0].NotPrincipal',
  ],
  [
    'NotPrincipal with Allow',
    'resource',
    policy({ NotPrincipal: { AWS: account } }),
    'Statement[0].NotPrincipal',
  ],
  [
    'NotPrincipal of everyone',
    'resource',
    policy({ Effect: 'Deny', NotPrincipal: '*' }),
    'Statement[0].NotPrincipal',
  ],
  ['a bare account id', 'resource', bucketPolicy({ Principal: account }), 'Statement[0].Principal'],
  [
    'a bare ARN',
    'resource',
    bucketPolicy({ Principal: `arn:aws:iam::${account}:root` }),
    'Statement[0].Principal',
  ],
  ['an empty object of principals', 'resource', bucketPolicy({ Principal: {} }), 'Statement[0].Principal'],
  [
    'an empty list of principals',
    'resource',
    bucketPolicy({ Principal: { AWS: [] } }),
    'Statement[0].Principal',
  ],
  [
    'an account id that is a number',
    'resource',
    bucketPolicy({ Principal: { AWS: 123456789012 } }),
    'Statement[0].Principal',
  ],
  [
    'an account id of eleven digits',
    'resource',
    bucketPolicy({ Principal: { AWS: '12345678901' } }),
    'Statement[0].Principal',
  ],
  [
    'a partial wildcard',
    'resource',
    bucketPolicy({ Principal: { AWS: `arn:aws:iam::${account}:user/*` } }),
    'Statement[0].Principal',
  ],
  [
    'a wildcard account',
    'resource',
    bucketPolicy({ Principal: { AWS: 'arn:aws:iam::*:root' } }),
    'Statement[0].Principal',
  ],
  [
    'a group',
    'resource',
    bucketPolicy({ Principal: { AWS: `arn:aws:iam::${account}:group/staff` } }),
    'Statement[0].Principal',
  ],
  [
    'a variable',
    'resource',
    bucketPolicy({ Principal: { AWS: `arn:aws:iam::${account}:user/${variable('aws:username')}` } }),
    'Statement[0].Principal',
  ],
  [
    'a role session without session name',
    'trust',
    trustPolicy({ Principal: { AWS: `arn:aws:sts::${account}:assumed-role/reader` } }),
    'Statement[0].Principal',
  ],
  [
    'a canonical user',
    'resource',
    bucketPolicy({ Principal: { CanonicalUser: 'abc' } }),
    'Statement[0].Principal',
  ],
  [
    'an unknown type of principal',
    'resource',
    bucketPolicy({ Principal: { aws: '*' } }),
    'Statement[0].Principal',
  ],
  ['every provider', 'trust', trustPolicy({ Principal: { Federated: '*' } }), 'Statement[0].Principal'],
  [
    'a provider that is no ARN',
    'trust',
    trustPolicy({ Principal: { Federated: 'idp.example.com' } }),
    'Statement[0].Principal',
  ],
  [
    'a user as a provider',
    'trust',
    trustPolicy({ Principal: { Federated: `arn:aws:iam::${account}:user/x` } }),
    'Statement[0].Principal',
  ],
  ['every service', 'trust', trustPolicy({ Principal: { Service: '*' } }), 'Statement[0].Principal'],
];

const conditionRejections: readonly Rejection[] = [
  ['a condition that is a list', 'identity', policy({ Condition: [] }), 'Statement[0].Condition'],
  ['a condition that is null', 'identity', policy({ Condition: null }), 'Statement[0].Condition'],
  [
    'an operator without keys',
    'identity',
    policy({ Condition: { StringEquals: {} } }),
    'Statement[0].Condition.StringEquals',
  ],
  [
    'an operator whose keys are a string',
    'identity',
    policy({ Condition: { StringEquals: 'x' } }),
    'Statement[0].Condition.StringEquals',
  ],
  [
    'an operator given in two cases',
    'identity',
    policy({ Condition: { Bool: { 'aws:a': true }, bool: { 'aws:b': true } } }),
    'Statement[0].Condition',
  ],
  [
    'a key given in two cases',
    'identity',
    policy({ Condition: { Bool: { 'aws:a': true, 'AWS:A': false } } }),
    'Statement[0].Condition.Bool',
  ],
  [
    'a key without prefix',
    'identity',
    condition('StringEquals', 'x', 'username'),
    'Statement[0].Condition.StringEquals',
  ],
  [
    'an empty list of values',
    'identity',
    condition('StringNotEquals', []),
    'Statement[0].Condition.StringNotEquals',
  ],
  ['a null value', 'identity', condition('StringEquals', null), 'Statement[0].Condition.StringEquals'],
  ['an object value', 'identity', condition('StringEquals', {}), 'Statement[0].Condition.StringEquals'],
  ['a nested list', 'identity', condition('StringEquals', [['x']]), 'Statement[0].Condition.StringEquals'],
  [
    'an unknown operator',
    'identity',
    condition('StringMatches', 'x'),
    'Statement[0].Condition.StringMatches',
  ],
  [
    'an unknown set operator',
    'identity',
    condition('ForSomeValues:StringEquals', 'x'),
    'Statement[0].Condition.ForSomeValues:StringEquals',
  ],
  [
    'an operator that is only IfExists',
    'identity',
    condition('IfExists', 'x'),
    'Statement[0].Condition.IfExists',
  ],
  [
    'IfExists twice',
    'identity',
    condition('StringEqualsIfExistsIfExists', 'x'),
    'Statement[0].Condition.StringEqualsIfExistsIfExists',
  ],
  [
    'a set operator after the operator',
    'identity',
    condition('StringEquals:ForAllValues', 'x'),
    'Statement[0].Condition.StringEquals:ForAllValues',
  ],
  ['BoolNot', 'identity', condition('NotBool', 'true'), 'Statement[0].Condition.NotBool'],
  ['a boolean that is none', 'identity', condition('Bool', 'yes'), 'Statement[0].Condition.Bool'],
  [
    'a malformed variable in a value',
    'identity',
    condition('StringEquals', variable('username')),
    'Statement[0].Condition.StringEquals',
  ],
  [
    'more stars than the cap in a pattern',
    'session',
    condition('StringLike', '*a'.repeat(40)),
    'Statement[0].Condition.StringLike',
  ],
  ...[
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '',
    'x',
  ].map(
    (range): Rejection => [
      `the range ${range}`,
      'identity',
      condition('IpAddress', range),
      'Statement[0].Condition.IpAddress',
    ],
  ),
  ...[
    '2001:db8::/129',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    ':::',
    '12345::',
    '::ffff:10.0.0.0/95',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '1:2:3:4:5:6:7::8',
  ].map(
    (range): Rejection => [
      `the range ${range}`,
      'identity',
      condition('NotIpAddress', range),
      'Statement[0].Condition.NotIpAddress',
    ],
  ),
];

describe('parsePolicyDocument', () => {
  it.each([...documentRejections, ...elementRejections, ...principalRejections, ...conditionRejections])(
    'rejects %s (%s)',
    (_title, kind, source, path) => {
      expect(problemsOf(source, kind).map((problem) => problem.path)).toContain(path);
    },
  );

  it.each([
    'NumericEquals',
    'NumericLessThanIfExists',
    'DateGreaterThan',
    'ForAnyValue:DateNotEquals',
    'BinaryEquals',
    'ArnLike',
    'ArnNotEquals',
    'ForAllValues:ArnEquals',
    'Null',
    'null',
  ])('says that %s is not supported by this version', (operator) => {
    expect(problemsOf(condition(operator, 'x'), 'identity')[0]?.message).toContain(
      'not supported by this version',
    );
  });

  it('reports every problem at once, each with its path', () => {
    const source = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'x', Action: 'y', Resource: 'z' }, 1],
      Foo: 1,
    };
    expect(problemsOf(source, 'identity').map(({ path }) => path)).toEqual([
      '',
      'Statement[0].Effect',
      'Statement[0].Action',
      'Statement[0].Resource',
      'Statement[1]',
    ]);
  });

  it.each([
    ['identity', 10_240],
    ['boundary', 6144],
    ['trust', 4096],
    ['session', 2048],
    ['resource', 20_480],
  ] as const)('rejects a %s policy of more than %i characters', (kind, limit) => {
    const filler = Array.from(
      { length: Math.ceil(limit / 20) },
      (_, index) => `s3:GetObject${index}xxxxxxxxxx`,
    );
    const source = { Statement: { Effect: 'Allow', Action: filler } };
    expect(problemsOf(source, kind)[0]).toEqual({
      path: '',
      message: `is longer than ${limit} characters, white space not counted`,
    });
  });

  it('rejects data that JSON cannot express', () => {
    const cyclic: Record<string, unknown> = { Version: '2012-10-17' };
    cyclic['Statement'] = cyclic;
    expect(problemsOf(cyclic, 'identity')[0]?.message).toBe('must be plain data that JSON can express');
  });

  it.each([
    ['a scalar statement, action and resource', 'identity', policy({})],
    [
      'an empty Sid twice',
      'identity',
      {
        Statement: [
          { ...allowGet, Sid: '' },
          { ...allowGet, Sid: '' },
        ],
      },
    ],
    ['a Sid with spaces in a bucket policy', 'resource', bucketPolicy({ Sid: 'my rule 1' })],
    ['no version', 'identity', { Statement: allowGet }],
    ['an empty Condition', 'identity', policy({ Condition: {} })],
    [
      'operators in any case and form',
      'identity',
      condition('foranyvalue:stringlikeifexists', ['a*', 1, true]),
    ],
    [
      'a tag key with a space',
      'identity',
      condition('StringEquals', variable('aws:PrincipalTag/cost center'), 'aws:RequestTag/cost center'),
    ],
    [
      'a variable left alone by version 2008',
      'identity',
      { Statement: { ...allowGet, Resource: 'arn:aws:s3:::b/${x' } },
    ],
    ['a short ARN in an identity policy', 'identity', policy({ Resource: 'arn:aws:s3' })],
    [
      'a short ARN with a final star in a bucket policy',
      'resource',
      bucketPolicy({ Resource: 'arn:aws:s3:*' }),
    ],
    [
      'mixed principals',
      'trust',
      trustPolicy({
        Principal: {
          AWS: ['*', account, `arn:aws:sts::${account}:assumed-role/r/s`],
          Federated: `arn:aws:iam::${account}:saml-provider/corp`,
          Service: ['ec2.amazonaws.com'],
        },
      }),
    ],
    ['many stars where they are text', 'identity', condition('StringEquals', '*'.repeat(60))],
  ] as const)('accepts %s', (_title, kind, source) => {
    expect(problemsOf(source, kind)).toEqual([]);
  });

  it('rejects all of Object.prototype’s names as elements, types and operators', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const polluted = (text: string): unknown => JSON.parse(text);
      expect(
        problemsOf(polluted(`{"${name}":1,"Statement":${JSON.stringify(allowGet)}}`), 'identity'),
      ).not.toEqual([]);
      expect(
        problemsOf(condition(name, 'x'), 'identity').length + (name === '__proto__' ? 1 : 0),
      ).toBeGreaterThan(0);
    }
  });
});

describe('parsePolicyText', () => {
  it('rejects a repeated key', () => {
    const text =
      '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}';
    expect(() => parsePolicyText(text, 'identity')).toThrow('repeats the key "Effect"');
  });

  it('rejects text that is not JSON', () => {
    expect(() => parsePolicyText('{', 'session')).toThrow(PolicyDocumentError);
  });

  it('counts the white space of a session policy', () => {
    const text = JSON.stringify(policy({}));
    expect(parsePolicyText(text.padEnd(2048), 'session').statements).toHaveLength(1);
    expect(() => parsePolicyText(text.padEnd(2049), 'session')).toThrow('longer than 2048');
  });

  it('does not count the white space of other policies, but bounds it', () => {
    const text = JSON.stringify(policy({}));
    expect(parsePolicyText(text.padEnd(20_000), 'identity').statements).toHaveLength(1);
    expect(() => parsePolicyText(text.padEnd(100_000), 'identity')).toThrow('larger than');
  });
});
