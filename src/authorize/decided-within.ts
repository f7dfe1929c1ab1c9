import { failedDecision, type NeedsKeys, type PolicySets } from '../iam/combine.ts';
import type { AuthorizationQuery } from '../iam/query.ts';
import { refusalWithin } from '../iam/within-prefix.ts';
import type { Permission } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';

/** A decision about everything with a prefix: a part that is denied, or not allowed, refuses the whole. */
export function decidedWithin(
  sets: PolicySets,
  query: AuthorizationQuery,
  prefix: Permission['within'],
  decision: AccessDecision | NeedsKeys,
): AccessDecision | NeedsKeys {
  if (prefix === undefined || decision.effect !== 'allow') return decision;
  try {
    const refusal = refusalWithin(sets, query, prefix, decision);
    if (refusal === undefined) return decision;
    return { effect: 'deny', sets: decision.sets, ...refusal };
  } catch (fault) {
    return failedDecision(fault);
  }
}
