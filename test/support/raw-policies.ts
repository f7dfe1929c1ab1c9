import { type Decision, decide, type NeedsKeys, type PolicySets } from '../../src/iam/combine.ts';
import { type CompiledPolicy, compilePolicy } from '../../src/iam/compile.ts';
import { type PolicyKind, parsePolicyDocument } from '../../src/iam/document.ts';
import type { AuthorizationQuery } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import type { OneOrMany, RawRequest, RawSets, ReferenceOutcome } from './reference-evaluator.ts';

/** Compiles raw documents; their names are `<kind>-<position>`. */
export function compileAll(documents: readonly unknown[], kind: PolicyKind): CompiledPolicy[] {
  return documents.map((document, index) =>
    compilePolicy(parsePolicyDocument(document, kind), `${kind}-${index}`),
  );
}

export function compileSets(sets: RawSets): PolicySets {
  return {
    identity: compileAll(sets.identity, 'identity'),
    ...(sets.boundary === undefined ? {} : { boundary: compileAll(sets.boundary, 'boundary') }),
    ...(sets.session === undefined ? {} : { session: compileAll(sets.session, 'identity') }),
    ...(sets.scopeDown === undefined ? {} : { scopeDown: compileAll(sets.scopeDown, 'identity') }),
    ...(sets.resource === undefined
      ? {}
      : { resource: compileAll(sets.resource, sets.isTrust === true ? 'trust' : 'resource') }),
  };
}

export function toQuery(request: RawRequest, lazyKeys: readonly string[] = []): AuthorizationQuery {
  return { ...request, context: new RequestContext(Object.entries(request.context), lazyKeys) };
}

export function decideRaw(sets: RawSets, request: RawRequest): ReferenceOutcome | 'needs' {
  return outcomeOf(decide(compileSets(sets), toQuery(request)));
}

/** @throws the fault of a failed decision. */
export function outcomeOf(decision: Decision | NeedsKeys): ReferenceOutcome | 'needs' {
  if (decision.effect === 'needs') return 'needs';
  if (decision.effect === 'deny' && 'fault' in decision) throw decision.fault;
  const by = decision.policyType;
  if (by === 'none') throw new Error('a decision of no policy');
  if (decision.effect === 'allow') return { decision: 'allow', by };
  return { decision: decision.isExplicitDeny ? 'explicit-deny' : 'implicit-deny', by };
}

export function isAllowed(sets: RawSets, request: RawRequest): boolean {
  const outcome = decideRaw(sets, request);
  return outcome !== 'needs' && outcome.decision === 'allow';
}

/**
 * What one condition says about one key of a request: true or false, or `unreadable` when its Allow does not apply although
 * its Deny would.
 */
export function conditionOutcome(
  operator: string,
  operand: unknown,
  value: OneOrMany<string>,
  context: RawRequest['context'] = {},
): boolean | 'unreadable' {
  const Condition = { [operator]: { 'aws:tested': operand } };
  const principal = {
    kind: 'user',
    accountId: '123456789012',
    arn: 'arn:aws:iam::123456789012:user/anna',
  } as const;
  const asked = { principal, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' };
  const query = toQuery({ ...asked, context: { ...context, 'aws:tested': value } });
  const applies = (Effect: 'Allow' | 'Deny'): boolean => {
    const Statement = { Effect, Action: '*', Resource: '*', Condition };
    const decision = decide(
      { identity: compileAll([{ Version: '2012-10-17', Statement }], 'identity') },
      query,
    );
    return decision.effect === 'allow' || (decision.effect === 'deny' && decision.isExplicitDeny);
  };
  const holds = applies('Allow');
  return applies('Deny') === holds ? holds : 'unreadable';
}
