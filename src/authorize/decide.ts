import type { DecisionFacts } from '../core/request-record.ts';
import { type Decision, decide, type PolicySets } from '../iam/combine.ts';
import type { AuthorizationQuery } from '../iam/evaluate.ts';

/** A final decision: whatever could not be decided is denied. */
export type AccessDecision = Decision;

/**
 * Decides one (action, resource) pair. A statement that needs a key only the store knows denies, because the
 * statement might have been a Deny.
 */
export function decideAccess(sets: PolicySets, query: AuthorizationQuery): AccessDecision {
  const decision = decide(sets, query);
  if (decision.effect !== 'needs') return decision;
  return {
    effect: 'deny',
    isExplicitDeny: false,
    policyType: 'identity',
    sets: {
      identity: 'none',
      boundary: undefined,
      session: undefined,
      resource: undefined,
      resourceLevel: 'none',
    },
    fault: new Error(`condition keys cannot be looked up: ${decision.keys.join(', ')}`),
  };
}

/** A decision as logs and metrics tell it. */
export function decisionFacts(decision: AccessDecision, durationUs: number): DecisionFacts {
  const { effect, policyType, statement } = decision;
  return {
    decision: effect,
    policyType,
    isEnforced: true,
    durationUs,
    ...(statement === undefined ? {} : { matchedPolicy: statement.policy }),
    ...(statement?.sid === undefined ? {} : { matchedSid: statement.sid }),
  };
}
