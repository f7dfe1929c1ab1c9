import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/iam/combine.ts';
import { compilePolicy } from '../../src/iam/compile.ts';
import { type PolicyKind, parsePolicyText } from '../../src/iam/document.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';

interface VectorCase {
  readonly name: string;
  readonly source: string;
  readonly request: {
    readonly principal: PolicyPrincipal;
    readonly action: string;
    readonly resource: string;
    readonly context: Readonly<Record<string, string | readonly string[]>>;
    readonly lazyKeys?: readonly string[];
  };
  readonly identityPolicies: readonly unknown[];
  readonly sessionPolicies?: readonly unknown[];
  readonly permissionsBoundary?: readonly unknown[];
  readonly resourcePolicy?: readonly unknown[];
  readonly trustPolicy?: readonly unknown[];
  readonly expected: {
    readonly decision: 'allow' | 'implicitDeny' | 'explicitDeny' | 'needs';
    readonly by?: string;
    readonly sid?: string;
    readonly resourceLevel?: string;
    readonly keys?: readonly string[];
    /** Code of the error that made the decision a deny. */
    readonly fault?: string;
  };
}

const folder = new URL('../vectors/iam/', import.meta.url);
const files = readdirSync(folder)
  .sort()
  .map((file) => {
    const { cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: VectorCase[] };
    return { file, cases };
  });

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

describe.each(files)('$file', ({ cases }) => {
  it.each(cases)('$name', (vector) => {
    const { decision, by, sid, resourceLevel, keys, fault } = vector.expected;
    const result = run(vector);
    expect(vector.source).toMatch(/^(?:IAM|AWS|Amazon)/);
    expect(result.effect).toBe(decision === 'needs' ? 'needs' : decision === 'allow' ? 'allow' : 'deny');
    if (result.effect === 'needs') {
      if (keys !== undefined) expect(result.keys).toEqual(keys);
      return;
    }
    if (fault === undefined) expect(result.fault).toBeUndefined();
    else expect(result.fault).toMatchObject({ code: fault });
    expect(result.isExplicitDeny).toBe(decision === 'explicitDeny');
    expect(result.policyType).toBe(by);
    if (sid !== undefined) expect(result.statement?.sid).toBe(sid);
    if (resourceLevel !== undefined) expect(result.sets.resourceLevel).toBe(resourceLevel);
  });
});
