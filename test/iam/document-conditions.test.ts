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

describe('parsePolicyDocument on conditions', () => {
  it.each(conditionRejections)('rejects %s (%s)', (_title, kind, source, path) => {
    expect(problemsOf(source, kind).map((problem) => problem.path)).toContain(path);
  });

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
});
