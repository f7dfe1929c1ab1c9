import { describe, expect, it } from 'vitest';
import { DecisionBudget, maxStepsPerPolicy, stepsPerPolicyCharacter } from '../../src/iam/budget.ts';
import { decide, decideWithPauses } from '../../src/iam/combine.ts';
import { compilePolicy } from '../../src/iam/compile.ts';
import { parsePolicyText } from '../../src/iam/document.ts';
import { type ContextEntry, RequestContext } from '../../src/iam/request-context.ts';
import { variable } from '../support/policy-documents.ts';
import { compileAll } from '../support/raw-policies.ts';

const principal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
} as const;
const allowAll = { Effect: 'Allow', Action: '*', Resource: '*' };
const asked = { principal, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' };
const identity = compileAll([{ Statement: allowAll }], 'identity');

/** A session policy of the full size that tests one key against as many equal values as fit. */
function hostilePolicy(operator: string, value: string) {
  const textOf = (values: readonly string[]): string => {
    const Condition = { [operator]: { 'aws:UserAgent': values } };
    return JSON.stringify({ Version: '2012-10-17', Statement: { ...allowAll, Condition } });
  };
  const values = [value];
  while (textOf([...values, value]).length <= 2048) values.push(value);
  return compilePolicy(parsePolicyText(textOf(values), 'session'), 'session policy');
}

function decideWith(policy: ReturnType<typeof hostilePolicy>, entries: readonly ContextEntry[]) {
  const budget = new DecisionBudget();
  const query = { ...asked, context: new RequestContext(entries), budget };
  return { decision: decide({ identity, session: [policy] }, query), steps: budget.spent };
}

/** The longest header that reaches a decision. */
const userAgent = 'a'.repeat(2048);
const starred = `*${variable('aws:referer')}*`;

const hostile: readonly (readonly [title: string, operator: string, value: string, referer: string])[] = [
  ['long runs from another header', 'StringLike', starred, `${'a'.repeat(2000)}b`],
  ['short runs from another header', 'StringLike', starred, 'aaaaaab'],
  ['runs of middle length', 'StringLike', starred, `${'a'.repeat(100)}b`],
  ['question marks', 'StringLike', `*${'a'.repeat(400)}?b*`, ''],
  ['question marks around a header', 'StringLike', `*?${variable('aws:referer')}*`, 'aab'],
  ['folded headers', 'StringEqualsIgnoreCase', variable('aws:referer'), 'É'.repeat(2000)],
  ['a header longer than the value', 'StringLike', starred, 'b'.repeat(2049)],
  ['a header repeated until it is', 'StringLike', starred.repeat(8), 'b'.repeat(300)],
];

describe('decide on hostile policies', () => {
  it.each(hostile)('decides within the budget: %s', (_title, operator, value, referer) => {
    const entries = [['aws:UserAgent', userAgent] as const, ['aws:referer', referer] as const];
    const { decision, steps } = decideWith(hostilePolicy(operator, value), entries);
    expect(decision).toMatchObject({ effect: 'deny', isExplicitDeny: false, policyType: 'session' });
    expect(steps).toBeLessThan(maxStepsPerPolicy + 2048 * stepsPerPolicyCharacter);
  });

  it('denies with a fault soon after the budget is used up', () => {
    const endless = [['aws:UserAgent', 'a'.repeat(1_000_000)] as const, ['aws:referer', 'aab'] as const];
    const { decision, steps } = decideWith(hostilePolicy('StringLike', starred), endless);
    expect(decision).toMatchObject({
      effect: 'deny',
      policyType: 'none',
      fault: { code: 'budget-exhausted' },
    });
    expect(steps).toBeLessThan(maxStepsPerPolicy + 2100 * stepsPerPolicyCharacter + 3_000_000);
  });

  it('finds a long constant run in a long header', () => {
    const policy = hostilePolicy('StringLike', `*${'a'.repeat(1800)}b*`);
    expect(decideWith(policy, [['aws:UserAgent', userAgent]]).decision).not.toHaveProperty('fault');
    expect(decideWith(policy, [['aws:UserAgent', `${userAgent}b`]]).decision.effect).toBe('allow');
  });
});

// Each value is searched once for each character, so a pattern of many characters makes many searches.
const run125 = String.fromCharCode(...Array.from({ length: 125 }, (_, index) => 0x4e00 + index));
it.each([
  ['1 statement of', 1, run125],
  ['3 statements of', 3, run125],
  ['7 statements of a variable that stands for', 7, variable('aws:referer')],
])('a session policy with %s 125 different characters is decided on 50 tag keys', (_title, count, run) => {
  const letters = Array.from({ length: 128 }, (_, index) => String.fromCharCode(0x4e00 + index));
  const keys = Array.from({ length: 50 }, (_, index) => [...letters].reverse().with(index, 'x').join(''));
  const pattern = `*?${run}*`;
  const operators = [
    'ForAllValues:StringNotLike',
    'ForAllValues:StringNotLikeIfExists',
    'ForAnyValue:StringLike',
  ];
  const Condition = Object.fromEntries(operators.map((operator) => [operator, { 'aws:TagKeys': pattern }]));
  const denies = Array.from({ length: count }, () => ({ ...allowAll, Effect: 'Deny', Condition }));
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [allowAll, ...denies] });
  expect(text.length).toBeLessThanOrEqual(2_048);
  const policy = compilePolicy(parsePolicyText(text, 'session'), 'session policy');
  const context: ContextEntry[] = [
    ['aws:TagKeys', keys],
    ['aws:referer', run125],
  ];
  expect(decideWith(policy, context).decision).toMatchObject({ effect: 'allow' });
});

/** Documents of the full size, full of resources that take the most steps on a key of `a`s. */
function fullOf(characters: number, pattern: (index: number) => string, more: object = {}): object {
  const resources: string[] = ['arn:aws:s3:::b/*end'];
  const documentOf = (): object => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: resources, ...more }],
  });
  while (JSON.stringify(documentOf()).length <= characters) resources.unshift(pattern(resources.length));
  resources.shift();
  return documentOf();
}

const dearest: readonly (readonly [title: string, pattern: (index: number) => string])[] = [
  ['short runs', (index) => `*:*:*:::*${'a'.repeat(1 + (index % 6))}b*`],
  ['runs of eight', () => '*:*:*:::*aaaaaaaab*'],
  ['question marks', (index) => `*:*:*:::*a?${'a'.repeat(index % 20)}b*`],
  ['long question marks', () => `arn:aws:s3:::b/*${'a'.repeat(450)}?b*`],
  ['many stars', () => `arn:aws:s3:::b/${'*a'.repeat(29)}b*`],
  ['variables', () => `*:*:*:::*${variable('aws:x')}b*`],
];

describe('policies of every size that AWS allows', () => {
  const longest = 'a'.repeat(1_021);
  const context = new RequestContext([['aws:x', 'aaa']]);

  it.each(dearest)('decide on the longest key within the budget: %s', (_title, pattern) => {
    const managed = (): object => fullOf(6_144, pattern);
    const sets = {
      identity: compileAll([...Array.from({ length: 20 }, managed), fullOf(10_240, pattern)], 'identity'),
      boundary: compileAll([managed()], 'boundary'),
      session: [
        ...compileAll([fullOf(2_048, pattern)], 'session'),
        ...compileAll(Array.from({ length: 10 }, managed), 'identity'),
      ],
      resource: compileAll([fullOf(20_480, pattern, { Principal: '*' })], 'resource'),
    };
    const budget = new DecisionBudget();
    const query = { ...asked, context, budget, resource: `arn:aws:s3:::b/${longest}end` };
    expect(decide(sets, query)).toMatchObject({ effect: 'allow' });
    expect(decide(sets, { ...query, resource: `arn:aws:s3:::b/${longest}` })).toMatchObject({
      effect: 'deny',
      policyType: 'identity',
    });
    // Half of the budget of one decision for both: neither comes near the limit.
    const characters = 21 * 6_144 + 10_240 + 2_048 + 10 * 6_144 + 20_480;
    expect(budget.spent).toBeLessThan((characters * stepsPerPolicyCharacter) / 2);
  });

  it('get the same decision with a pause before each policy as without', async () => {
    const pattern = dearest[0]?.[1] ?? String;
    const sets = {
      identity: compileAll(
        Array.from({ length: 5 }, () => fullOf(1_000, pattern)),
        'identity',
      ),
    };
    let pauses = 0;
    let isRested = false;
    const rest = (): Promise<void> | undefined => {
      isRested = !isRested;
      if (!isRested) return undefined;
      pauses += 1;
      return Promise.resolve();
    };
    for (const key of ['x', 'xend']) {
      const query = { ...asked, context, resource: `arn:aws:s3:::b/${key}` };
      expect(await decideWithPauses(sets, query, rest)).toEqual(decide(sets, query));
    }
    expect(pauses).toBe(10);
  });
});

describe('DecisionBudget', () => {
  it('starts over for every decision and every policy, and counts all of them together', () => {
    const budget = new DecisionBudget();
    for (const decision of [budget.begin(), budget.begin(), budget.begin()]) {
      decision.spend(maxStepsPerPolicy);
      decision.startPolicy(0);
      expect(() => decision.spend(maxStepsPerPolicy)).not.toThrow();
      expect(() => decision.spend(1)).toThrow('too many steps');
      expect(() => decision.spend(1)).toThrow('too many steps');
    }
    expect(budget.spent).toBe(3 * (2 * maxStepsPerPolicy + 2));
  });

  it('grows with the policy, and a large one lends no steps to the next', () => {
    const decision = new DecisionBudget().begin();
    decision.startPolicy(10_000);
    decision.startPolicy(1000);
    expect(() => decision.spend(maxStepsPerPolicy + 1000 * stepsPerPolicyCharacter)).not.toThrow();
    expect(() => decision.spend(1)).toThrow('too many steps');
  });
});
