import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecisionBudget } from '../../src/iam/budget.ts';
import { decide } from '../../src/iam/combine.ts';
import { evaluatePolicies } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { splitByEffect } from '../../src/iam/statement-index.ts';
import { compileAll, compileSets, decideRaw, nameOf, toQuery } from '../support/raw-policies.ts';
import {
  type RawPolicy,
  type RawRequest,
  type RawSets,
  referenceDecision,
} from '../support/reference-evaluator.ts';
import { malformedRequest, policy, type RawKind, request, statement } from './iam-arbitraries.ts';

const runs = 2000;

function policies(kind: RawKind, minLength = 0): fc.Arbitrary<RawPolicy[]> {
  return fc.array(policy(kind), { minLength, maxLength: 2 });
}

const optionalPolicies = fc.option(policies('identity'), { nil: undefined });

const sets: fc.Arbitrary<RawSets> = fc
  .tuple(
    policies('identity', 1),
    optionalPolicies,
    optionalPolicies,
    fc.oneof(
      fc.constant({}),
      policies('resource', 1).map((resource) => ({ resource })),
      policies('trust', 1).map((resource) => ({ resource, isTrust: true })),
    ),
  )
  .map(([identity, boundary, session, resource]) => ({
    identity,
    ...(boundary === undefined ? {} : { boundary }),
    ...(session === undefined ? {} : { session }),
    ...resource,
  }));

/** AssumeRole without a trust policy is refused outright; the rules know no such question. */
function questionOf(asked: typeof request): fc.Arbitrary<[RawSets, RawRequest]> {
  return fc
    .tuple(sets, asked)
    .filter(([drawn, { action }]) => drawn.isTrust === true || !action.startsWith('sts:AssumeRole'));
}

const question = questionOf(request);

describe('the compiled engine', () => {
  it('decides as the reference evaluator does', () => {
    const seen = { allow: 0, 'implicit-deny': 0, 'explicit-deny': 0 };
    fc.assert(
      fc.property(question, ([drawn, asked]) => {
        const expected = referenceDecision(drawn, asked);
        seen[expected] += 1;
        expect(decideRaw(drawn, asked)).toBe(expected);
      }),
      { numRuns: runs },
    );
    // The comparison is worth something only while the random input reaches every answer.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(runs / 20);
  });

  it('loses no Deny and gains no Allow when a value cannot be compared', () => {
    let faults = 0;
    fc.assert(
      fc.property(questionOf(malformedRequest), ([drawn, asked]) => {
        const decision = decide(compileSets(drawn), toQuery(asked));
        if (decision.effect === 'deny' && 'fault' in decision) {
          expect(decision.fault).toMatchObject({ code: 'malformed-value' });
          faults += 1;
        } else {
          expect(nameOf(decision)).toBe(referenceDecision(drawn, asked));
        }
      }),
      { numRuns: runs },
    );
    expect(faults).toBeGreaterThan(runs / 20);
  });

  it('never allows more when a Deny is added', () => {
    fc.assert(
      fc.property(question, statement('identity', 'Deny'), ([drawn, asked], deny) => {
        const more = { ...drawn, identity: [...drawn.identity, { Version: '2012-10-17', Statement: deny }] };
        if (decideRaw(more, asked) === 'allow') expect(decideRaw(drawn, asked)).toBe('allow');
      }),
      { numRuns: runs },
    );
  });

  it('never denies more when an Allow is added', () => {
    fc.assert(
      fc.property(question, statement('identity', 'Allow'), ([drawn, asked], allow) => {
        const more = { ...drawn, identity: [...drawn.identity, { Version: '2012-10-17', Statement: allow }] };
        if (decideRaw(drawn, asked) === 'allow') expect(decideRaw(more, asked)).toBe('allow');
      }),
      { numRuns: runs },
    );
  });

  it('never lets a session policy or a boundary widen what identity policies allow', () => {
    fc.assert(
      fc.property(question, ([{ identity, session = [], boundary }, asked]) => {
        if (asked.action === 'sts:AssumeRole') return;
        const alone = decideRaw({ identity }, asked);
        const narrowed = { identity, session, ...(boundary === undefined ? {} : { boundary }) };
        if (asked.principal.kind !== 'federated-user' && decideRaw(narrowed, asked) === 'allow') {
          expect(alone).toBe('allow');
        }
      }),
      { numRuns: runs },
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
        expect(decideRaw(other, { ...asked, action: asked.action.toUpperCase() })).toBe(
          decideRaw(drawn, asked),
        );
      }),
      { numRuns: runs },
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
            const plain = evaluatePolicies(
              compiled,
              query,
              new DecisionBudget(),
              ({ statements }, { action }) =>
                splitByEffect(statements.filter(({ matchesAction }) => matchesAction(action.toLowerCase()))),
            );
            expect(evaluatePolicies(compiled, query)).toEqual(plain);
          }
        },
      ),
      { numRuns: runs },
    );
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
          const late = nameOf(decide(compiled, { ...lazy, context }));
          const settled = { ...known, ...(value === undefined ? {} : { 'aws:PrincipalTag/Team': value }) };
          expect(late).toBe(referenceDecision(drawn, { ...asked, context: settled }));
          if (early.effect !== 'needs') expect(nameOf(early)).toBe(late);
        }
      }),
      { numRuns: 1000 },
    );
    expect(waiting).toBeGreaterThan(50);
  });

  it('denies, and keeps the fault, whatever is thrown while deciding', () => {
    const fault = new Error('broken context');
    const throwing = new (class extends RequestContext {
      override values(): never {
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
