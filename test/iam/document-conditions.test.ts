import { describe, expect, it } from 'vitest';
import { condition, policy, problemsOf, type Rejection, variable } from '../support/policy-documents.ts';

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
  ['an invalid boolean', 'identity', condition('Bool', 'yes'), 'Statement[0].Condition.Bool'],
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
  ...['NullIfExists', 'ForAnyValue:Null', 'ForAllValues:Null', 'ForAllValues:NullIfExists'].map(
    (operator): Rejection => [
      operator,
      'identity',
      condition(operator, 'true'),
      `Statement[0].Condition.${operator}`,
    ],
  ),
  ...rejected('Null', ['', 'yes', '1', ' true', variable('aws:username'), 0]),
  ...rejected('NumericLessThanEquals', [
    ...['', ' 1', '1 ', '+1', '--1', '1.', '.5', '1,5', '0x10', '1e', '1e99999', 'NaN', 'Infinity', '٣'],
    ...['9'.repeat(65), variable('s3:max-keys'), true],
  ]),
  ...rejected('DateNotEquals', [
    ...['0001-1', '1234567890123', '253402300800', '-1', '1e9', '1577836800.5', '01577836800', '00'],
    ...[
      '2026-1-1',
      '2026-13',
      '2026-00',
      '2026-02-30',
      '2026-02-29',
      '2026-01-01T00:00',
      '2026-01-01T00:00:00',
    ],
    ...[
      '2026-01-01T24:00Z',
      '2026-01-01T00:60Z',
      '2026-01-01T23:59:60Z',
      '2026-01-01t00:00Z',
      '2026-01-01T00:00z',
    ],
    ...['2026-01-01T00Z', '2026-01-01T00:00:00.Z', '2026-01-01T00:00+0100', '2026-01-01T00:00+24:00'],
    ...['2026-01-01T00:00+01:60', '2026-01-01 00:00Z', '+002026-01-01', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ...['', 'now', variable('aws:CurrentTime'), true],
  ]),
  ...rejected('BinaryEquals', [
    'QQ',
    'QQ=',
    'QR==',
    'Q Q=',
    'QQ==\n',
    'Q_-=',
    '====',
    variable('aws:username'),
  ]),
  ...rejected('ArnNotLike', [
    ...[
      '',
      'x',
      '**',
      'arn',
      'arn:*',
      'arn:aws:s3:*',
      'arn:aws:s3:::',
      'arn::s3:::b',
      'arn:aws::::b',
      'urn:aws:s3:::b',
    ],
    ...[`arn:aws:s3:::${'*a'.repeat(33)}`, variable('username'), `${variable('aws:PrincipalArn')}*`],
    ...[`${variable('aws:username')}:aws:s3:::b`],
  ]),
];

/** One rejection for each value. */
function rejected(operator: string, values: readonly unknown[]): Rejection[] {
  return values.map((value) => [
    `${operator} with ${String(value)}`,
    'identity',
    condition(operator, value),
    `Statement[0].Condition.${operator}`,
  ]);
}

describe('parsePolicyDocument on conditions', () => {
  it.each(conditionRejections)('rejects %s (%s)', (_title, kind, source, path) => {
    expect(problemsOf(source, kind).map((problem) => problem.path)).toContain(path);
  });

  it.each(['Null', 'NumericEquals', 'DateEquals', 'BinaryEquals', 'ArnLike', 'IpAddress', 'Bool'])(
    'says which value of %s is wrong',
    (operator) => {
      const [problem] = problemsOf(condition(operator, ['x']), 'identity');
      expect(problem?.path).toBe(`Statement[0].Condition.${operator}`);
      expect(problem?.message).toMatch(/^"x" is not /);
    },
  );

  it('reports every malformed value of every operator at once', () => {
    const Condition = {
      NumericEquals: { 's3:max-keys': ['1', 'one', 'two'] },
      DateLessThan: { 'aws:CurrentTime': 'tomorrow' },
    };
    expect(problemsOf(policy({ Condition }), 'identity').map(({ path }) => path)).toEqual([
      'Statement[0].Condition.NumericEquals',
      'Statement[0].Condition.NumericEquals',
      'Statement[0].Condition.DateLessThan',
    ]);
  });
});
