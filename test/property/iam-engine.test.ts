import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DecisionBudget, StepsOfDecision } from '../../src/iam/budget.ts';
import { decide } from '../../src/iam/combine.ts';
import { conditionOperators } from '../../src/iam/conditions/index.ts';
import { SetEvaluation } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { paused } from '../../src/iam/scope.ts';
import { splitByEffect } from '../../src/iam/statement-index.ts';
import { evaluatePolicies } from '../support/evaluate-policies.ts';
import {
  compileAll,
  compileSets,
  decideRaw,
  isAllowed,
  outcomeOf,
  toQuery,
} from '../support/raw-policies.ts';
import {
  type RawPolicy,
  type RawRequest,
  type RawSets,
  type RawStatement,
  type ReferenceOutcome,
  referenceOutcome,
} from '../support/reference-evaluator.ts';
import { malformedRequest, policy, type RawKind, request, statement } from './iam-arbitraries.ts';
import { condition, context } from './iam-condition-arbitraries.ts';
import { engineRuns, otherRuns, propertyTimeoutMs } from './iam-runs.ts';

function policies(kind: RawKind, minLength = 0): fc.Arbitrary<RawPolicy[]> {
  return fc.array(policy(kind), { minLength, maxLength: 2 });
}

vi.setConfig({ testTimeout: propertyTimeoutMs });

const optionalPolicies = fc.option(policies('identity'), { nil: undefined });

/** One to three scope-down policies; half of them allow all but a little, so that some requests get through several. */
const scopeDownLayers = fc.array(
  fc.oneof(
    policy('identity'),
    statement('identity', 'Deny').map((denying) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow' as const, Action: '*', Resource: '*' }, denying],
    })),
  ),
  { minLength: 1, maxLength: 3 },
);

const sets: fc.Arbitrary<RawSets> = fc
  .tuple(
    policies('identity', 1),
    optionalPolicies,
    optionalPolicies,
    fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: scopeDownLayers }),
    fc.oneof(
      fc.constant({}),
      policies('resource', 1).map((resource) => ({ resource })),
      policies('trust', 1).map((resource) => ({ resource, isTrust: true })),
    ),
  )
  .map(([identity, boundary, session, scopeDown, resource]) => ({
    identity,
    ...(boundary === undefined ? {} : { boundary }),
    ...(session === undefined ? {} : { session }),
    ...(scopeDown === undefined ? {} : { scopeDown }),
    ...resource,
  }));

/** AssumeRole without a trust policy is refused outright; the rules know no such question. */
function questionOf(asked: typeof request): fc.Arbitrary<[RawSets, RawRequest]> {
  return fc
    .tuple(sets, asked)
    .filter(([drawn, { action }]) => drawn.isTrust === true || !action.startsWith('sts:AssumeRole'));
}

const question = questionOf(request);

function decisionOf(outcome: ReferenceOutcome | 'needs'): string {
  return outcome === 'needs' ? outcome : outcome.decision;
}

/** One statement for each kind of policy. */
type Additions = Readonly<Record<RawKind, RawStatement>>;

function additions(effect: 'Allow' | 'Deny'): fc.Arbitrary<Additions> {
  return fc.record({
    identity: statement('identity', effect),
    resource: statement('resource', effect),
    trust: statement('trust', effect),
  });
}

function withConditionsTurned({ Condition, ...rest }: RawStatement): RawStatement {
  if (Condition === undefined) return rest;
  return { ...rest, Condition: Object.fromEntries(Object.entries(Condition).reverse()) };
}

function withAdded(
  drawn: RawSets,
  target: 'identity' | 'boundary' | 'session' | 'resource',
  added: Additions,
) {
  const kind = target !== 'resource' ? 'identity' : drawn.isTrust === true ? 'trust' : 'resource';
  const policyAdded = { Version: '2012-10-17', Statement: added[kind] };
  return { ...drawn, [target]: [...(drawn[target] ?? []), policyAdded] };
}

describe('the random input', () => {
  it('reaches every operator in every form with a key that has no, one and several values', () => {
    const forms = ['', 'forallvalues:', 'foranyvalue:'].flatMap((prefix) =>
      ['', 'ifexists'].map((suffix) => [prefix, suffix] as const),
    );
    const names = conditionOperators.map(({ name }) => name.toLowerCase());
    const compared = names.filter((name) => name !== 'null');
    const operators = compared.flatMap((name) => forms.map(([prefix, suffix]) => prefix + name + suffix));
    const cells = [...operators, 'null'].flatMap((name) => [0, 1, 2].map((values) => `${name} ${values}`));
    const reached = new Set(
      fc
        // The same seed each time: of so many cells, one in some thousand runs would miss a rare one.
        .sample(fc.tuple(condition, context), { numRuns: 40_000, seed: 1 })
        .flatMap(([block, given]) =>
          Object.entries(block).flatMap(([operator, keys]) =>
            Object.keys(keys).map((key) => `${operator.toLowerCase()} ${presenceOf(key, given)}`),
          ),
        ),
    );
    expect(cells.filter((cell) => !reached.has(cell))).toEqual([]);
  });
});

/** 0, 1 or 2 for several. */
function presenceOf(key: string, given: RawRequest['context']): number {
  const found = Object.entries(given).find(([name]) => name.toLowerCase() === key.toLowerCase());
  return Math.min(2, [found?.[1] ?? []].flat().length);
}

describe('the compiled engine', () => {
  it('decides as the reference evaluator does', () => {
    const seen = { allow: 0, 'implicit-deny': 0, 'explicit-deny': 0 };
    const reasons = new Set<string>();
    fc.assert(
      fc.property(question, ([drawn, asked]) => {
        const expected = referenceOutcome(drawn, asked);
        seen[expected.decision] += 1;
        reasons.add(`${expected.decision} by ${expected.by}`);
        expect(decideRaw(drawn, asked)).toEqual(expected);
      }),
      { numRuns: engineRuns },
    );
    // The comparison is worth something only while the random input reaches every answer, for every reason.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(engineRuns / 40);
    expect([...reasons].sort()).toEqual([
      ...['identity', 'resource'].map((by) => `allow by ${by}`),
      ...['boundary', 'identity', 'resource', 'scopeDown', 'session'].map((by) => `explicit-deny by ${by}`),
      ...['boundary', 'identity', 'resource', 'scopeDown', 'session'].map((by) => `implicit-deny by ${by}`),
    ]);
  });

  it('loses no Deny, gains no Allow and affects no other statement when a value cannot be read', () => {
    let different = 0;
    fc.assert(
      fc.property(questionOf(malformedRequest), ([drawn, asked]) => {
        const decision = decideRaw(drawn, asked);
        expect(decision).toEqual(referenceOutcome(drawn, asked));
        const without = { ...asked, context: {} };
        if (!isDeepStrictEqual(decision, decideRaw(drawn, without))) different += 1;
      }),
      { numRuns: otherRuns },
    );
    expect(different).toBeGreaterThan(otherRuns / 20);
  });

  it('does not depend on the order of statements, nor on that of conditions, when a value cannot be read', () => {
    fc.assert(
      fc.property(questionOf(malformedRequest), ([drawn, asked]) => {
        const turned = (documents: readonly RawPolicy[]): RawPolicy[] =>
          documents.map((document) => ({
            ...document,
            Statement: [document.Statement].flat().reverse().map(withConditionsTurned),
          }));
        const { identity, boundary, session, scopeDown, resource } = drawn;
        const other = {
          ...drawn,
          identity: turned(identity),
          ...(boundary === undefined ? {} : { boundary: turned(boundary) }),
          ...(session === undefined ? {} : { session: turned(session) }),
          ...(scopeDown === undefined ? {} : { scopeDown: turned(scopeDown).reverse() }),
          ...(resource === undefined ? {} : { resource: turned(resource) }),
        };
        const values = Object.entries(asked.context).map(([key, value]) => [key, [value].flat().reverse()]);
        const reversed = { ...asked, context: Object.fromEntries(values) as RawRequest['context'] };
        const decision = decideRaw(drawn, asked);
        expect(decideRaw(other, asked)).toEqual(decision);
        expect(decideRaw(other, reversed)).toEqual(decision);
      }),
      { numRuns: otherRuns },
    );
  });

  it.each(['identity', 'boundary', 'session', 'resource'] as const)(
    'never allows more when a Deny is added, nor denies more when an Allow is, to the %s set',
    (target) => {
      fc.assert(
        fc.property(question, additions('Deny'), additions('Allow'), ([drawn, asked], denies, allows) => {
          if (drawn[target] === undefined) return;
          const before = isAllowed(drawn, asked);
          if (isAllowed(withAdded(drawn, target, denies), asked)) expect(before).toBe(true);
          if (before) expect(isAllowed(withAdded(drawn, target, allows), asked)).toBe(true);
        }),
        { numRuns: otherRuns },
      );
    },
  );

  it('never lets a session policy or a boundary widen what identity policies allow', () => {
    fc.assert(
      fc.property(question, ([{ identity, session = [], boundary }, asked]) => {
        if (asked.action === 'sts:AssumeRole') return;
        const alone = isAllowed({ identity }, asked);
        const narrowed = { identity, session, ...(boundary === undefined ? {} : { boundary }) };
        if (asked.principal.kind !== 'federated-user' && isAllowed(narrowed, asked)) {
          expect(alone).toBe(true);
        }
      }),
      { numRuns: otherRuns },
    );
  });

  it('never lets a scope-down policy widen what the calling session may do, whatever else grants it', () => {
    const seen = { allowed: 0, narrowed: 0, ofBucket: 0 };
    fc.assert(
      fc.property(question, scopeDownLayers, ([session, asked], layers) => {
        const scoped = { ...session, scopeDown: [...(session.scopeDown ?? []), ...layers] };
        const before = decideRaw(session, asked);
        const after = decideRaw(scoped, asked);
        expect(after).toEqual(referenceOutcome(scoped, asked));
        if (decisionOf(after) === 'allow') expect(after).toEqual(before);
        if (decisionOf(before) === 'explicit-deny') expect(decisionOf(after)).toBe('explicit-deny');
        if (decisionOf(after) === 'allow') seen.allowed += 1;
        else if (decisionOf(before) === 'allow') {
          seen.narrowed += 1;
          if (before !== 'needs' && before.by === 'resource') seen.ofBucket += 1;
        }
      }),
      { numRuns: otherRuns },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(otherRuns / 200);
  });

  it('allows what each scope-down policy allows alone, and nothing else', () => {
    fc.assert(
      fc.property(question, scopeDownLayers, ([session, asked], layers) => {
        const { scopeDown = [] } = session;
        const all = [...scopeDown, ...layers];
        const whole = isAllowed({ ...session, scopeDown: all }, asked);
        expect(all.every((layer) => isAllowed({ ...session, scopeDown: [layer] }, asked))).toBe(whole);
      }),
      { numRuns: otherRuns },
    );
  });

  it('does not depend on the order or repetition of policies and statements, nor on the case of the action', () => {
    fc.assert(
      fc.property(question, ([drawn, asked]) => {
        const shuffled = drawn.identity.map((document) => ({
          ...document,
          Statement: [document.Statement].flat().reverse(),
        }));
        const other = { ...drawn, identity: [...shuffled.reverse(), ...drawn.identity.slice(0, 1)] };
        expect(decideRaw(other, { ...asked, action: asked.action.toUpperCase() })).toEqual(
          decideRaw(drawn, asked),
        );
      }),
      { numRuns: otherRuns },
    );
  });

  it('finds the same answer with and without the index, also when the index is warm', () => {
    fc.assert(
      fc.property(
        policies('resource', 1),
        fc.array(request, { minLength: 2, maxLength: 6 }),
        (documents, asked) => {
          const compiled = compileAll(documents, 'resource');
          for (const query of [...asked, ...asked].map((one) => toQuery(one))) {
            const plain = evaluatePolicies(compiled, query, ({ statements }, { action }) =>
              splitByEffect(statements.filter(({ matchesAction }) => matchesAction(action.toLowerCase()))),
            );
            expect(evaluatePolicies(compiled, query)).toEqual(plain);
          }
        },
      ),
      { numRuns: otherRuns },
    );
  });

  it('finds the same answer when it is interrupted wherever it can be', () => {
    let interruptions = 0;
    fc.assert(
      fc.property(policies('resource', 1), request, fc.boolean(), (documents, asked, isLazy) => {
        const compiled = compileAll(documents, 'resource');
        const query = toQuery(asked, isLazy ? ['aws:ResourceTag/'] : []);
        const budget = new StepsOfDecision(new DecisionBudget(), -1);
        const evaluation = new SetEvaluation(query, budget);
        for (const one of compiled) {
          let isDenied = evaluation.add(one);
          while (isDenied === paused) {
            interruptions += 1;
            budget.endPause();
            isDenied = evaluation.add(one);
          }
          if (isDenied) break;
        }
        expect(evaluation.result()).toEqual(evaluatePolicies(compiled, query));
      }),
      { numRuns: otherRuns },
    );
    expect(interruptions).toBeGreaterThan(otherRuns);
  });

  it('answers before a look-up only what every look-up result confirms', () => {
    const values = [undefined, 'anna', 'red', '', ['red', 'anna']];
    let waiting = 0;
    fc.assert(
      fc.property(question, ([drawn, asked]) => {
        const { 'aws:PrincipalTag/Team': _unknown, ...known } = asked.context;
        const compiled = compileSets(drawn);
        const lazy = toQuery({ ...asked, context: known }, ['aws:PrincipalTag/']);
        const early = decide(compiled, lazy);
        if (early.effect === 'needs') {
          waiting += 1;
          expect(early.keys).toEqual(['aws:principaltag/team']);
        }
        for (const value of values) {
          const found = value === undefined ? [] : [['aws:PrincipalTag/Team', value] as const];
          const context = lazy.context.withLookedUp('aws:PrincipalTag/', found);
          const late = outcomeOf(decide(compiled, { ...lazy, context }));
          const settled = { ...known, ...(value === undefined ? {} : { 'aws:PrincipalTag/Team': value }) };
          expect(late).toEqual(referenceOutcome(drawn, { ...asked, context: settled }));
          // Any set that denies is a reason to deny; a look-up may show an earlier one.
          if (early.effect !== 'needs')
            expect(outcomeOf(early)).toMatchObject({ decision: decisionOf(late) });
        }
      }),
      { numRuns: otherRuns / 2 },
    );
    expect(waiting).toBeGreaterThan(otherRuns / 100);
  });

  it('denies, and keeps the fault, whatever is thrown while deciding', () => {
    const fault = new Error('broken context');
    const throwing = new (class extends RequestContext {
      override value(): never {
        throw fault;
      }
    })();
    const allowAll = compileAll(
      [{ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }],
      'identity',
    );
    const conditional = compileAll(
      [
        {
          Version: '2012-10-17',
          Statement: {
            Effect: 'Deny',
            Action: '*',
            Resource: '*',
            Condition: { StringEquals: { 'aws:username': 'x' } },
          },
        },
      ],
      'identity',
    );
    const query = {
      principal: { kind: 'user', accountId: '1', arn: 'a' } as const,
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::a/b',
      context: throwing,
    };
    const decision = decide({ identity: [...allowAll, ...conditional] }, query);
    expect(decision).toMatchObject({ effect: 'deny', isExplicitDeny: false, fault });
  });
});
