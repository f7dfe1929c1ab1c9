import fc from 'fast-check';
import { variable } from '../support/policy-documents.ts';
import type { OneOrMany, RawRequest, RawStatement } from '../support/reference-evaluator.ts';

/**
 * Type-directed random conditions: every operator in every form, on keys that a request gives no value, one or several
 * of the operator's type.
 */

type Context = RawRequest['context'];
type Operand = string | number | boolean;

/** One type of values with its operators. */
interface Family {
  readonly operators: readonly string[];
  /** The first is sometimes spelled in another case; the last takes several values. */
  readonly keys: readonly string[];
  readonly operands: readonly Operand[];
  /** What requests give to the keys. */
  readonly values: readonly string[];
  /** What the operators cannot compare. */
  readonly malformed: readonly string[];
}

export function oneOrMany<T>(item: fc.Arbitrary<T>): fc.Arbitrary<OneOrMany<T>> {
  return fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
}

const role = 'arn:aws:iam::123456789012:role/team/reader';
const topic = 'arn:aws:sns:eu-west-1:123456789012:a:b';
const texts = [
  'anna',
  'Anna',
  'red',
  'RED',
  'a*',
  '',
  'ann?',
  variable('aws:username'),
  'true',
  'é😀',
  'ΑΣ',
  'ας',
];

function comparisons(prefix: string): string[] {
  return ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map(
    (relation) => prefix + relation,
  );
}

const strings: Family = {
  operators: [
    ...['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    ...['StringLike', 'StringNotLike', 'stringlike'],
  ],
  keys: [
    'aws:username',
    'AWS:UserName',
    'aws:PrincipalTag/Team',
    'aws:PrincipalTag/team',
    's3:prefix',
    'aws:TagKeys',
  ],
  operands: [
    ...texts.filter((text) => !text.includes('$')),
    ...['*', 'an*', '?nna', variable('aws:username'), variable('aws:PrincipalTag/team')],
    ...[`x${variable("aws:PrincipalTag/team, 'red'")}`, `${variable('?')}nna`],
  ],
  values: texts,
  malformed: [],
};

const numbers: Family = {
  operators: [...comparisons('Numeric'), 'numericequals'],
  keys: ['s3:max-keys', 'S3:Max-Keys', 'test:numbers'],
  operands: [0, 1, '1.0', '-1', 10, '1e1', 9.99, 1e21, '9007199254740993', '9007199254740992', 1e-7, '-0'],
  values: [
    ...['0', '-0', '1', '1.00', '-1', '10', '9.99', '0010', '1e21', '1000000000000000000000'],
    ...['9007199254740993', '9007199254740992', '0.0000001', '-1e2'],
  ],
  malformed: ['', 'ten', ' 1', '1,0', '0x1', 'NaN'],
};

const dates: Family = {
  operators: [...comparisons('Date'), 'DATELESSTHAN'],
  keys: ['aws:CurrentTime', 'AWS:currenttime', 'test:dates'],
  operands: [
    ...['2026', '2026-01', '2026-02-28', '2026-01-01T00:00Z', '2026-01-01T01:00+01:00', 1767225600],
    ...['2025-12-31T23:59:59.999999999Z', '1767225599', '1970', '0', '2024-02-29T12:30:15.5-03:30'],
  ],
  values: [
    ...[
      '2026-01-01T00:00:00Z',
      '2025-12-31T23:59:59.999999999Z',
      '2026-01-01T00:00:00.000000001Z',
      '1767225600',
    ],
    ...['1767225601', '1970-01-01', '2024-02-29T16:00:15.500Z', '2026-02-28', '99'],
  ],
  malformed: ['', 'now', '2026-02-29', '2026-13', '2026-01-01T24:00Z', '2026-01-01T00:00:00', '-5'],
};

const bytes: Family = {
  operators: ['BinaryEquals'],
  keys: ['test:bytes', 'TEST:bytes', 'test:byte-list'],
  operands: ['', 'QQ==', 'QUE=', '/w==', 'QUFB'],
  values: ['', 'QQ==', 'QUE=', '/w==', 'QUFC'],
  malformed: ['QQ', 'QR==', 'Q', '_w==', 'QQ==\n'],
};

const arns: Family = {
  operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike', 'arnlike'],
  keys: ['aws:PrincipalArn', 'AWS:principalarn', 'aws:SourceArn', 'test:arns'],
  operands: [
    ...[
      '*',
      role,
      topic,
      'arn:*:*:*:*:*',
      'arn:aws:iam::*:role/*',
      'arn:aws:iam::123456789012:role/?eam/reader',
    ],
    ...['arn:aws:sns:*:*:a:*', 'arn:aws:sns:*:a:*:b', 'a?n:aws*:s??:eu-*:1*:*b'],
    ...[variable('aws:PrincipalArn'), `arn:aws:iam::*:role/${variable('aws:PrincipalTag/team')}/reader`],
    `arn:aws:iam::${variable("test:account, '123456789012'")}:role/${variable('*')}`,
    `arn:aws:sns:eu-west-1:${variable('test:account')}:a:${variable("aws:username, 'b'")}`,
  ],
  values: [role, topic, 'arn:aws:iam::123456789012:role/anna/reader', 'arn:aws:iam::123456789012:role/*'],
  malformed: ['', '*', 'arn', 'arn:aws:s3', 'arn:aws:s3:::', 'urn:aws:iam::1:role/x', 'arn::iam::1:role/x'],
};

const booleans: Family = {
  operators: ['Bool', 'bool'],
  keys: ['aws:SecureTransport', 'AWS:securetransport', 'test:booleans'],
  operands: ['true', 'FALSE', true, false, variable('aws:PrincipalTag/team')],
  values: ['true', 'false', 'True'],
  malformed: ['yes', '', '1', ' true'],
};

const addresses: Family = {
  operators: ['IpAddress', 'NotIpAddress', 'NOTIPADDRESS'],
  keys: ['aws:SourceIp', 'aws:sourceip', 'test:addresses'],
  operands: [
    ...['10.0.0.0/8', '10.1.2.3', '10.1.2.0/23', '0.0.0.0/0', '::/0', '2001:db8::/32', '2001:db8::1'],
    '::ffff:10.1.0.0/112',
  ],
  values: ['10.1.2.3', '10.1.3.3', '192.0.2.1', '::ffff:10.1.2.3', '2001:db8::1', '2001:db9::1'],
  malformed: ['nonsense', '', '10.1.2.300', '2001:db8::1::', '10.1.2.3/8'],
};

const families: readonly Family[] = [strings, numbers, dates, bytes, arns, booleans, addresses];

const comparison = fc.oneof(
  ...families.map(({ operators, keys, operands }, index) => ({
    weight: index === 0 ? 3 : 1,
    arbitrary: fc.tuple(
      fc.constantFrom('', '', '', 'ForAllValues:', 'ForAnyValue:', 'foranyvalue:'),
      fc.constantFrom(...operators),
      fc.constantFrom('', '', 'IfExists'),
      fc.constantFrom(...keys),
      oneOrMany(fc.constantFrom(...operands)),
    ),
  })),
);

const presence = fc.tuple(
  fc.constant(''),
  fc.constantFrom('Null', 'null'),
  fc.constant(''),
  fc.constantFrom(...families.flatMap(({ keys }) => keys)),
  oneOrMany<Operand>(fc.constantFrom('true', 'FALSE', true, false)),
);

/** One or two conditions; an operator is named once. */
export const condition: fc.Arbitrary<NonNullable<RawStatement['Condition']>> = fc
  .array(fc.oneof({ weight: 8, arbitrary: comparison }, { weight: 1, arbitrary: presence }), {
    minLength: 1,
    maxLength: 2,
  })
  .map((drawn) => {
    const blocks = new Map(
      drawn.map(([prefix, name, suffix, key, values]) => {
        const operator = `${prefix}${name}${suffix}`;
        return [operator.toLowerCase(), [operator, { [key]: values }]] as const;
      }),
    );
    return Object.fromEntries(blocks.values());
  });

/** Before 2012 a variable is text, which no boolean has and which makes no ARN of itself. */
export function withoutVariablesOf2012({ Condition, ...rest }: RawStatement): RawStatement {
  const kept = Object.entries(Condition ?? {}).filter(
    ([operator, block]) => !/bool|arn/i.test(operator) || !JSON.stringify(block).includes('$'),
  );
  return kept.length === 0 ? rest : { ...rest, Condition: Object.fromEntries(kept) };
}

function valuesOf({ keys, values }: Family): Record<string, fc.Arbitrary<OneOrMany<string>>> {
  const one = fc.constantFrom(...values);
  const [first = '', ...others] = distinct(keys);
  const last = others.pop() ?? first;
  return {
    ...Object.fromEntries([first, ...others].map((key) => [key, one])),
    [last]: fc.array(one, { maxLength: 3 }),
  };
}

function distinct(keys: readonly string[]): string[] {
  return keys.filter(
    (key, index) => keys.findIndex((other) => other.toLowerCase() === key.toLowerCase()) === index,
  );
}

export const context: fc.Arbitrary<Context> = fc
  .record(
    {
      ...Object.assign({}, ...families.map(valuesOf)),
      'test:account': fc.constantFrom('123456789012', '1*', ':'),
      's3:RequestObjectTagKeys': fc.constantFrom<OneOrMany<string>>('anna', ['anna'], ['anna', 'x']),
    },
    { requiredKeys: [] },
  )
  .map((record) => record as Context);

/** A tag that is there in another spelling, maybe with another value. */
export const otherSpelling: fc.Arbitrary<Context> = fc
  .constantFrom('red', 'anna', 'Anna', '')
  .map((value) => ({ 'aws:PrincipalTag/TEAM': value }));

/** Values that the operators of their keys cannot compare, in some of the keys. */
export const malformed: fc.Arbitrary<Context> = fc
  .record(
    Object.fromEntries(
      families.flatMap(({ keys, values, malformed: wrong }) => {
        if (wrong.length === 0) return [];
        const [first = '', ...others] = distinct(keys);
        const bad = fc.constantFrom(...wrong);
        const mixed = fc.array(fc.oneof(bad, fc.constantFrom(...values)), { minLength: 1, maxLength: 3 });
        return [[first, bad] as const, [others.pop() ?? first, mixed] as const];
      }),
    ),
    { requiredKeys: [] },
  )
  .map((record) => record as Context);
