import { describe, expect, it } from 'vitest';
import { type RawPolicy, type RawSets, referenceOutcome } from '../support/reference-evaluator.ts';
import { corpus, type VectorCase } from './corpus.ts';

/** The rules know nothing of look-ups and of roles without trust policy. */
function isWithinRules({ request, expected, trustPolicy }: VectorCase): boolean {
  const isAssumeRole = request.action.startsWith('sts:AssumeRole') && trustPolicy === undefined;
  return expected.decision !== 'needs' && !isAssumeRole;
}

function setsOf(vector: VectorCase): RawSets {
  const { identityPolicies, permissionsBoundary, sessionPolicies, resourcePolicy, trustPolicy } = vector;
  const resource = resourcePolicy ?? trustPolicy;
  return {
    identity: identityPolicies as readonly RawPolicy[],
    ...(permissionsBoundary && { boundary: permissionsBoundary as readonly RawPolicy[] }),
    ...(sessionPolicies && { session: sessionPolicies as readonly RawPolicy[] }),
    ...(resource && { resource: resource as readonly RawPolicy[] }),
    isTrust: trustPolicy !== undefined,
  };
}

const decisions = { allow: 'allow', implicitDeny: 'implicit-deny', explicitDeny: 'explicit-deny', needs: '' };

describe.each(corpus)('the reference evaluator on $file', ({ cases }) => {
  it.each(cases.filter(isWithinRules))('$name', (vector) => {
    const { decision, by } = vector.expected;
    expect(referenceOutcome(setsOf(vector), vector.request)).toEqual({ decision: decisions[decision], by });
  });
});
