import { describe, expect, it } from 'vitest';
import { decide } from '../../src/iam/combine.ts';
import { compilePolicy } from '../../src/iam/compile.ts';
import { type PolicyKind, parsePolicyText } from '../../src/iam/document.ts';
import type { AuthorizationQuery } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { corpus, type VectorCase } from './corpus.ts';

function compile(documents: readonly unknown[], kind: PolicyKind) {
  return documents.map((document, index) =>
    compilePolicy(parsePolicyText(JSON.stringify(document), kind), `${index}`),
  );
}

function run(vector: VectorCase) {
  const { permissionsBoundary, sessionPolicies, resourcePolicy, trustPolicy } = vector;
  const { principal, action, resource, context, lazyKeys } = vector.request;
  const query: AuthorizationQuery = {
    principal,
    action,
    resource,
    context: new RequestContext(Object.entries(context), lazyKeys),
  };
  return decide(
    {
      identity: compile(vector.identityPolicies, 'identity'),
      ...(permissionsBoundary && { boundary: compile(permissionsBoundary, 'boundary') }),
      ...(sessionPolicies && { session: compile(sessionPolicies, 'session') }),
      ...(resourcePolicy && { resource: compile(resourcePolicy, 'resource') }),
      ...(trustPolicy && { resource: compile(trustPolicy, 'trust') }),
    },
    query,
  );
}

describe.each(corpus)('$file', ({ cases }) => {
  it.each(cases)('$name', (vector) => {
    const { decision, by, sid, resourceLevel, keys } = vector.expected;
    const result = run(vector);
    expect(vector.source).toMatch(/^(?:IAM|AWS|Amazon)/);
    expect(result.effect).toBe(decision === 'needs' ? 'needs' : decision === 'allow' ? 'allow' : 'deny');
    if (result.effect === 'needs') {
      if (keys !== undefined) expect(result.keys).toEqual(keys);
      return;
    }
    expect(result.fault).toBeUndefined();
    expect(result.isExplicitDeny).toBe(decision === 'explicitDeny');
    expect(result.policyType).toBe(by);
    if (sid !== undefined) expect(result.statement?.sid).toBe(sid);
    if (resourceLevel !== undefined) expect(result.sets.resourceLevel).toBe(resourceLevel);
  });
});
