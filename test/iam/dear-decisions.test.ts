import { describe, expect, it } from 'vitest';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { decide, decideWithPauses } from '../../src/iam/combine.ts';
import { compilePolicy } from '../../src/iam/compile.ts';
import { parsePolicyText } from '../../src/iam/document.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { startCpuTime } from '../support/cpu-time.ts';
import { type DearCondition, dearConditions, dearPolicyText, plainWork } from '../support/dear-conditions.ts';
import { compileAll } from '../support/raw-policies.ts';

const principal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
} as const;
const asked = { principal, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' };
const identity = compileAll([{ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }], 'identity');

function prepared(condition: DearCondition) {
  const budget = new DecisionBudget();
  const session = [compilePolicy(parsePolicyText(dearPolicyText(condition), 'session'), 'session policy')];
  const query = { ...asked, context: new RequestContext(condition.entries), budget };
  return { sets: { identity, session }, query, budget };
}

/** Far fewer than the two million of a slice. */
const maxStepsBetweenPauses = 250_000;

describe('a session policy made to take long', () => {
  it.each(dearConditions.map((condition) => [condition.title, condition] as const))(
    'is decided, and offers a pause again and again: %s',
    async (_, condition) => {
      const { sets, query, budget } = prepared(condition);
      let [before, most, pauses] = [0, 0, 0];
      const rest = (): Promise<void> | undefined => {
        most = Math.max(most, budget.spent - before);
        before = budget.spent;
        pauses += 1;
        return pauses % 2 === 0 ? undefined : Promise.resolve();
      };
      const decision = await decideWithPauses(sets, query, rest);
      expect(Math.max(most, budget.spent - before)).toBeLessThan(maxStepsBetweenPauses);
      expect(decision).not.toHaveProperty('fault');
      expect(budget.spent).toBeLessThan(6_000_000);
      expect(decision).toEqual(decide(sets, query));
    },
  );

  it('gets no steps from the policies beside it', () => {
    const endless = { ...plainWork, entries: [['aws:TagKeys', ['a'.repeat(10_000_000)]]] as const };
    const { sets, query, budget } = prepared(endless);
    const large = Array.from({ length: 150 }, (_, index) => `arn:aws:s3:::another-bucket/${index}/*`);
    const beside = compileAll([{ Statement: { Effect: 'Allow', Action: '*', Resource: large } }], 'identity');
    const fault = { policyType: 'none', fault: { code: 'budget-exhausted' } };
    expect(decide(sets, query)).toMatchObject(fault);
    const alone = budget.spent;
    const both = { ...sets, identity: [...identity, ...Array.from({ length: 20 }, () => beside).flat()] };
    expect(decide(both, query)).toMatchObject(fault);
    expect(budget.spent - alone).toBeLessThan(alone + 100_000);
  });
});

/** Nanoseconds of work for each step that is counted: the least of several measurements. */
function costOfStep(condition: DearCondition): number {
  const { sets, query, budget } = prepared(condition);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 6; round += 1) {
    const before = budget.spent;
    const cpuMs = startCpuTime();
    while (budget.spent - before < 2_000_000) decide(sets, query);
    least = Math.min(least, (cpuMs() * 1e6) / (budget.spent - before));
  }
  return least;
}

describe('a step', () => {
  it('takes about as long whatever it is counted for', () => {
    const plain = costOfStep(plainWork);
    const dear = dearConditions.map((condition) => [condition.title, costOfStep(condition)] as const);
    // A step that takes longer would make every slice and every budget larger than it seems.
    expect(dear.filter(([, cost]) => cost > 6 * plain)).toEqual([]);
  });
});
