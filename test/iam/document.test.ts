import { describe, expect, it } from 'vitest';
import { PolicyDocumentError, parsePolicyText } from '../../src/iam/document.ts';
import {
  account,
  allowGet,
  bucketPolicy,
  condition,
  policy,
  problemsOf,
  type Rejection,
  trustPolicy,
  variable,
} from '../support/policy-documents.ts';

const documentRejections: readonly Rejection[] = [
  ['a string', 'identity', 'x', ''],
  ['null', 'identity', null, ''],
  ['a list', 'identity', [], ''],
  ['an unknown element', 'identity', { ...policy({}), Statements: [] }, ''],
  ['an element in the wrong case', 'identity', { version: '2012-10-17', Statement: allowGet }, ''],
  ['another version', 'identity', { Version: '2012-10-18', Statement: allowGet }, 'Version'],
  ['a version that is a number', 'identity', { Version: 2012, Statement: allowGet }, 'Version'],
  ['a version that is null', 'identity', { Version: null, Statement: allowGet }, 'Version'],
  ['an id that is not a string', 'identity', { Id: 1, Statement: allowGet }, 'Id'],
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

describe('parsePolicyDocument', () => {
  it.each(documentRejections)('rejects %s (%s)', (_title, kind, source, path) => {
    expect(problemsOf(source, kind).map((problem) => problem.path)).toContain(path);
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
