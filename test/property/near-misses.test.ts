import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type Decision, decide } from '../../src/iam/combine.ts';
import { nearMissText } from '../../src/iam/describe-near-miss.ts';
import { type NearMiss, nearestStatement } from '../../src/iam/near-miss.ts';
import { compileSets, toQuery } from '../support/raw-policies.ts';
import type { RawPolicy, RawSets, RawStatement } from '../support/reference-evaluator.ts';
import { malformedRequest, policy, type RawKind, request } from './iam-arbitraries.ts';
import { otherRuns, propertyTimeoutMs } from './iam-runs.ts';

vi.setConfig({ testTimeout: propertyTimeoutMs });

const policies = (kind: RawKind): fc.Arbitrary<RawPolicy[]> =>
  fc.array(policy(kind), { minLength: 1, maxLength: 3 });
const everything: RawPolicy[] = [
  { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } },
];

/** One set that is drawn, beside sets that allow: nearly all denials are that set's. */
const sets: fc.Arbitrary<RawSets> = fc.oneof(
  policies('identity').map((identity) => ({ identity })),
  policies('identity').map((boundary) => ({ identity: everything, boundary })),
  policies('identity').map((session) => ({ identity: everything, session })),
  policies('identity').map((scopeDown) => ({ identity: everything, scopeDown })),
  policies('resource').map((resource) => ({ identity: [], resource })),
  policies('trust').map((resource) => ({ identity: everything, resource, isTrust: true })),
);

function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** The sets without the condition that a near miss names. */
function withoutCondition(drawn: RawSets, { policyType, statement, failed }: NearMiss): RawSets {
  if (failed.element !== 'Condition') throw new Error('no condition');
  const documents = [...(drawn[policyType] ?? [])];
  const position = Number(statement.policy.split('-').at(-1));
  const document = documents[position];
  if (document === undefined) throw new Error(`no policy ${statement.policy}`);
  const statements = [...many<RawStatement>(document.Statement)];
  const { Condition = {}, ...rest } = statements[statement.index] ?? { Effect: 'Allow' as const };
  const blocks = Object.entries(Condition).flatMap(([operator, block]) => {
    const kept = Object.entries(block).filter(([key]) => operator !== failed.operator || key !== failed.key);
    return kept.length === 0 ? [] : [[operator, Object.fromEntries(kept)] as const];
  });
  expect(JSON.stringify(Object.fromEntries(blocks))).not.toBe(JSON.stringify(Condition));
  statements[statement.index] = { ...rest, Condition: Object.fromEntries(blocks) };
  documents[position] = { ...document, Statement: statements };
  return { ...drawn, [policyType]: documents };
}

function missing(decision: Decision): string {
  const { effect, policyType, sets: effects } = decision;
  return `${effect} ${policyType} ${effects.scopeDownLayer ?? ''}`;
}

describe('a near miss', () => {
  it('is all that is missing: without its only failed condition, the set allows', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(sets, request, (drawn, asked) => {
        const compiled = compileSets(drawn);
        const decision = decide(compiled, toQuery(asked));
        if (decision.effect !== 'deny') return;
        const near = nearestStatement(compiled, toQuery(asked), decision);
        if (decision.isExplicitDeny) expect(near).toBeUndefined();
        if (near?.failed.element !== 'Condition' || near.otherFailures > 0) return;
        seen.set(near.policyType, (seen.get(near.policyType) ?? 0) + 1);
        const after = decide(compileSets(withoutCondition(drawn, near)), toQuery(asked));
        if (after.effect === 'needs') throw new Error('nothing is looked up here');
        expect(missing(after)).not.toBe(missing(decision));
      }),
      { numRuns: 3 * otherRuns },
    );
    expect([...seen.keys()].sort()).toEqual(['boundary', 'identity', 'resource', 'scopeDown', 'session']);
  });

  it('is told in a bounded, showable line, whatever was asked', () => {
    fc.assert(
      fc.property(sets, malformedRequest, (drawn, asked) => {
        const compiled = compileSets(drawn);
        const decision = decide(compiled, toQuery(asked));
        if (decision.effect !== 'deny') return;
        const near = nearestStatement(compiled, toQuery(asked), decision);
        if (near === undefined) return;
        const text = nearMissText(near);
        expect(text).toMatch(/^Statement[ [].*: /);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(text.length).toBeLessThan(2_000);
      }),
      { numRuns: otherRuns },
    );
  });
});
