import { describe, expect, it } from 'vitest';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { decide } from '../../src/iam/combine.ts';
import { type CompiledPolicy, compilePolicy } from '../../src/iam/compile.ts';
import { type PolicyKind, parsePolicyText } from '../../src/iam/document.ts';
import { type ContextEntry, RequestContext } from '../../src/iam/request-context.ts';
import { startCpuTime } from '../support/cpu-time.ts';
import { condition, policy, problemsOf, variable } from '../support/policy-documents.ts';
import { compileAll } from '../support/raw-policies.ts';

const stars = '*a'.repeat(60);

function nested(depth: number, innermost: unknown = 'x'): unknown {
  let value = innermost;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

describe('hostile policies at load', () => {
  it.each<[string, PolicyKind, unknown]>([
    ['60 stars in an action', 'session', policy({ Action: `s3:${stars}` })],
    ['60 stars in a resource', 'session', policy({ Resource: `arn:aws:s3:::${stars}` })],
    ['60 stars in a segment of a resource', 'session', policy({ Resource: `arn:${stars}:s3:::b` })],
    ['60 stars in a text', 'session', condition('StringLike', stars)],
    ['60 stars in an ARN', 'session', condition('ArnLike', `arn:aws:s3:::${stars}`)],
    ['10,000 actions', 'identity', policy({ Action: Array.from({ length: 10_000 }, () => '*') })],
    [
      '10,000 resources',
      'resource',
      policy({ Principal: '*', Resource: Array.from({ length: 10_000 }, () => '*') }),
    ],
    [
      '10,000 values',
      'identity',
      condition(
        'NumericEquals',
        Array.from({ length: 10_000 }, () => 1),
      ),
    ],
    [
      '2,501 values that few characters hold',
      'resource',
      {
        Statement: Array.from({ length: 5 }, () => ({
          ...{ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' },
          Condition: { NumericEquals: { 'a:b': Array.from({ length: 500 }, () => 1) } },
        })),
      },
    ],
    ['10,000 statements', 'identity', { Statement: Array.from({ length: 10_000 }, () => ({})) }],
    [
      '10,000 elements',
      'identity',
      policy(Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`X${at}`, 1]))),
    ],
    [
      '10,000 condition keys',
      'identity',
      policy({
        Condition: { Null: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`a:${at}`, true])) },
      }),
    ],
    ['a deep array for a value', 'session', condition('StringEquals', nested(1000))],
    ['a deep array for a statement', 'session', { Statement: nested(1000, {}) }],
    ['an array too deep to be written again', 'session', { Statement: nested(200_000, {}) }],
    ['a number too long for a number', 'session', condition('NumericEquals', '9'.repeat(1000))],
    ['an exponent too large for any number', 'session', condition('NumericEquals', '1e999999999')],
    [
      'a date with a thousand decimals',
      'session',
      condition('DateEquals', `2026-01-01T00:00:00.${'1'.repeat(1000)}Z`),
    ],
    ['a range with a thousand groups', 'session', condition('IpAddress', '0:'.repeat(500))],
  ])('are rejected: %s', (_title, kind, source) => {
    const cpuMs = startCpuTime();
    expect(problemsOf(source, kind)).not.toEqual([]);
    // A few milliseconds; the rest is for a slow machine.
    expect(cpuMs()).toBeLessThan(500);
  });

  it.each([
    ['arrays', '['],
    ['objects', '{"Statement":'],
  ])('are rejected as text: deeply nested %s', (_title, opening) => {
    for (const kind of ['identity', 'session', 'resource', 'trust'] as const) {
      const closing = opening === '[' ? ']' : '}';
      for (const depth of [40, 1000]) {
        const text = opening.repeat(depth) + (opening === '[' ? '' : '1') + closing.repeat(depth);
        expect(() => parsePolicyText(text, kind)).toThrow(
          expect.objectContaining({ name: 'PolicyDocumentError' }),
        );
      }
    }
  });
});

const principal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
} as const;
const identity = compileAll([{ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }], 'identity');

/** A session policy of the full size made of as many copies of a value as fit. */
function filled(write: (values: readonly string[]) => object, value: string): CompiledPolicy {
  const textOf = (values: readonly string[]): string =>
    JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', ...write(values) } });
  const values = [value];
  while (textOf([...values, value]).length <= 2048) values.push(value);
  return compilePolicy(parsePolicyText(textOf(values), 'session'), 'session policy');
}

function conditions(operator: string, key: string) {
  return (values: readonly string[]) => ({
    Action: '*',
    Resource: '*',
    Condition: { [operator]: { [key]: values } },
  });
}

const resources = (values: readonly string[]): object => ({ Action: '*', Resource: values });
const spared = (values: readonly string[]): object => ({ Action: '*', NotResource: values });

const longKey = `arn:aws:s3:::b/${'a'.repeat(1024)}`;
const longArn = `arn:aws:iam::123456789012:role/${'a'.repeat(2000)}`;
const header = variable('aws:referer');
const manyTags = Array.from({ length: 50 }, (_, at) => `${'a'.repeat(100)}${at}`);
const cases: readonly [string, CompiledPolicy, readonly ContextEntry[]][] = [
  ['resources with stars', filled(resources, `arn:aws:s3:::b/${'*a'.repeat(29)}b*`), []],
  ['resources with question marks', filled(resources, `arn:aws:s3:::b/*${'?a'.repeat(60)}b*`), []],
  [
    'resources with variables',
    filled(resources, `arn:aws:s3:::b/*${header}b*`),
    [['aws:referer', 'a'.repeat(500)]],
  ],
  [
    'resources in many pieces',
    filled(resources, `arn:aws:s3:::b/*${header}*${header}b*`),
    [['aws:referer', 'aa']],
  ],
  [
    'excluded resources with variables',
    filled(spared, `arn:aws:s3:::b/*${header}?b*`),
    [['aws:referer', 'aa']],
  ],
  [
    'ARNs with stars',
    filled(conditions('ArnLike', 'aws:PrincipalArn'), `arn:*:*:*:*:${'*a'.repeat(20)}b*`),
    [['aws:PrincipalArn', longArn]],
  ],
  [
    'ARNs with question marks',
    filled(conditions('ArnNotLike', 'aws:PrincipalArn'), `arn:*:*:*:*:*${'?a'.repeat(50)}b*`),
    [['aws:PrincipalArn', longArn]],
  ],
  [
    'ARNs with variables',
    filled(conditions('ArnLike', 'aws:PrincipalArn'), `arn:aws:iam::*:*${header}b*`),
    [
      ['aws:PrincipalArn', longArn],
      ['aws:referer', 'a'.repeat(2000)],
    ],
  ],
  [
    'texts on many values',
    filled(conditions('ForAnyValue:StringLike', 'aws:TagKeys'), `*${'?a'.repeat(9)}b*`),
    [['aws:TagKeys', manyTags]],
  ],
  [
    'texts that ignore case',
    filled(conditions('ForAnyValue:StringEqualsIgnoreCase', 'aws:TagKeys'), 'é'),
    [['aws:TagKeys', manyTags]],
  ],
  [
    'numbers on many values',
    filled(conditions('ForAllValues:NumericGreaterThan', 'test:numbers'), '9'),
    [['test:numbers', Array.from({ length: 400 }, () => '10')]],
  ],
  [
    'dates on many values',
    filled(conditions('ForAllValues:DateNotEquals', 'test:dates'), '1970'),
    [['test:dates', Array.from({ length: 400 }, () => '2026-01-01T00:00:00.5+01:00')]],
  ],
  [
    'ranges on many values',
    filled(conditions('ForAllValues:NotIpAddress', 'test:addresses'), '::1'),
    [['test:addresses', Array.from({ length: 400 }, () => '2001:db8::1')]],
  ],
  [
    'bytes on many values',
    filled(conditions('ForAnyValue:BinaryEquals', 'test:bytes'), 'QQ=='),
    [['test:bytes', Array.from({ length: 100 }, () => 'QUFB'.repeat(50))]],
  ],
];

// How long so many steps take is measured by the benchmark of the pieces: timings pass or fail with the machine.
describe('hostile session policies at decision', () => {
  it.each(cases)('are decided within the budget of a decision: %s', (_title, session, entries) => {
    const budget = new DecisionBudget();
    const asked = { principal, action: 's3:GetObject', resource: longKey };
    const query = { ...asked, context: new RequestContext(entries), budget };
    expect(decide({ identity, session: [session] }, query)).not.toHaveProperty('fault');
    // Less than a second of one core for a thousand of them, in slices.
    expect(budget.spent).toBeLessThan(maxStepsForHostileSession);
  });
});

const maxStepsForHostileSession = 1_500_000;
