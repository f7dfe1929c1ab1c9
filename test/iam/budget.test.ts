import { describe, expect, it } from 'vitest';
import { DecisionBudget, maxStepsPerDecision, stepsPerFurtherDecision } from '../../src/iam/budget.ts';
import { decide } from '../../src/iam/combine.ts';
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
  const query = { ...asked, context: new RequestContext(entries) };
  const startedAt = performance.now();
  const decision = decide(
    { identity: compileAll([{ Statement: allowAll }], 'identity'), session: [policy] },
    query,
  );
  return { decision, milliseconds: performance.now() - startedAt };
}

const userAgent = 'a'.repeat(28_000);
const starred = `*${variable('aws:referer')}*`;

describe('decide on hostile policies', () => {
  it.each([
    ['long runs from another header', 'StringLike', starred, `${'a'.repeat(4000)}b`, 'budget-exhausted'],
    ['short runs from another header', 'StringLike', starred, 'aaaaaab', 'budget-exhausted'],
    ['runs of middle length', 'StringLike', starred, `${'a'.repeat(100)}b`, 'budget-exhausted'],
    ['question marks', 'StringLike', `*${'a'.repeat(400)}?b*`, '', 'budget-exhausted'],
    [
      'question marks around a header',
      'StringLike',
      `*?${variable('aws:referer')}*`,
      'aab',
      'budget-exhausted',
    ],
    [
      'folded headers',
      'StringEqualsIgnoreCase',
      variable('aws:referer'),
      'É'.repeat(4000),
      'budget-exhausted',
    ],
  ])('denies quickly, with a fault: %s', (_title, operator, value, referer, code) => {
    const entries = [['aws:UserAgent', userAgent] as const, ['aws:referer', referer] as const];
    const policy = hostilePolicy(operator, value);
    const { decision, milliseconds } = decideWith(policy, entries);
    expect(decision).toMatchObject({ effect: 'deny', isExplicitDeny: false, fault: { code } });
    // A few milliseconds; the rest is for a busy machine.
    expect(milliseconds).toBeLessThan(100);
  });

  it.each([
    ['a header longer than the value', starred, 'b'.repeat(28_001)],
    ['a header repeated until it is', starred.repeat(15), 'b'.repeat(2000)],
  ])('sees without comparing that nothing matches %s', (_title, value, referer) => {
    const entries = [['aws:UserAgent', userAgent] as const, ['aws:referer', referer] as const];
    const { decision } = decideWith(hostilePolicy('StringLike', value), entries);
    expect(decision).toMatchObject({ effect: 'deny', policyType: 'session' });
    expect(decision).not.toHaveProperty('fault');
  });

  it('finds a long constant run in a long header within the budget', () => {
    const policy = hostilePolicy('StringLike', `*${'a'.repeat(1800)}b*`);
    const { decision } = decideWith(policy, [['aws:UserAgent', userAgent]]);
    expect(decision).not.toHaveProperty('unreadable');
    expect(decideWith(policy, [['aws:UserAgent', `${userAgent}b`]]).decision.effect).toBe('allow');
  });

  it('decides a long legitimate policy on the longest key with a small part of the budget', () => {
    const Statement = Array.from({ length: 60 }, (_, index) => ({
      Effect: index % 2 === 0 ? 'Deny' : 'Allow',
      Action: 's3:*',
      Resource: `arn:aws:s3:::b/*/${variable('aws:username')}/*.${index}?`,
    }));
    const identity = compileAll([{ Version: '2012-10-17', Statement: [allowAll, ...Statement] }], 'identity');
    const context = new RequestContext([['aws:username', 'anna']]);
    const resource = `arn:aws:s3:::b/${'folder/'.repeat(146)}`;
    const budget = new DecisionBudget();
    expect(decide({ identity }, { ...asked, resource, context, budget }).effect).toBe('allow');
    expect(() => budget.spend(maxStepsPerDecision / 2)).not.toThrow();
  });
});

describe('DecisionBudget', () => {
  it('is shared by the decisions that it is given to', () => {
    const policy = hostilePolicy('StringLike', `*${'a'.repeat(900)}b*`);
    const context = new RequestContext([['aws:UserAgent', userAgent]]);
    const budget = new DecisionBudget(10);
    const decisions = Array.from({ length: 10 }, () =>
      decide({ identity: [policy] }, { ...asked, context, budget }),
    );
    expect(decisions[0]).not.toHaveProperty('unreadable');
    expect(decisions[9]).toMatchObject({ effect: 'deny', fault: { code: 'budget-exhausted' } });
    expect(decide({ identity: [policy] }, { ...asked, context })).not.toHaveProperty('unreadable');
  });

  it('denies with a fault even what would be denied or allowed for free, once a step is needed', () => {
    const budget = new DecisionBudget();
    expect(() => budget.spend(maxStepsPerDecision)).not.toThrow();
    expect(() => budget.spend(1)).toThrow('too many steps');
    expect(() => budget.spend(1)).toThrow('too many steps');
  });

  it('grows with the number of decisions', () => {
    const budget = new DecisionBudget(1000);
    expect(() => budget.spend(maxStepsPerDecision + 999 * stepsPerFurtherDecision)).not.toThrow();
    expect(() => budget.spend(1)).toThrow('too many steps');
  });
});
