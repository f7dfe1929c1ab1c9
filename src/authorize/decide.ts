import type { Caller } from '../authenticate/caller.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import type { DecisionFacts } from '../core/request-record.ts';
import type { Enforcement } from '../directory/records.ts';
import { DecisionBudget } from '../iam/budget.ts';
import {
  type Decision,
  decideWithPauses,
  failedDecision,
  type NeedsKeys,
  type PolicySets,
} from '../iam/combine.ts';
import type { AuthorizationQuery } from '../iam/evaluate.ts';
import { Pace } from './pace.ts';

/** A final decision; what could not be decided is a deny. */
export type AccessDecision = Decision;

/**
 * Decides for one request, one decision after the other, and gives everything else its turn when they take long, once the
 * request has used up its slice.
 */
export class PacedDecisions {
  readonly #budget: DecisionBudget = new DecisionBudget();
  readonly #pace: Pace = new Pace(this.#budget);

  /** Like `decide` of the policy engine. */
  decide(sets: PolicySets, query: AuthorizationQuery): MaybePromise<Decision | NeedsKeys> {
    const rest = (): Promise<void> | undefined => this.#pace.rest(query.principal);
    return whenReady(decideWithPauses(sets, { ...query, budget: this.#budget }, rest), (decision) => {
      this.#pace.count();
      return decision;
    });
  }
}

/** Turns a decision that waits for keys into a deny, where nothing can look them up. */
export function settled(decision: Decision | NeedsKeys): AccessDecision {
  return decision.effect === 'needs' ? undecidable(decision.keys) : decision;
}

/** The deny of a decision that depends on context keys which cannot be looked up. */
export function undecidable(keys: readonly string[]): AccessDecision {
  return failedDecision(new Error(`condition keys cannot be looked up: ${keys.join(', ')}`));
}

/** True when the caller is in audit mode. The setting of a role takes precedence over the global one. */
export function isAudited(caller: Caller, enforcement: Enforcement): boolean {
  const own = caller.kind === 'role-session' ? caller.entity.enforcement : undefined;
  return (own ?? enforcement) === 'audit';
}

/**
 * True for a deny whose only reason is that no identity policy allows, the only one that `enforcement: audit` relaxes. It
 * never relaxes explicit denies, boundaries, session policies or errors.
 */
export function isUnallowedOnly(decision: AccessDecision): boolean {
  const { effect, isExplicitDeny, policyType, fault, sets } = decision;
  if (effect === 'allow' || isExplicitDeny || fault !== undefined || policyType !== 'identity') return false;
  const { boundary = 'allow', session = 'allow' } = sets;
  return sets.identity === 'none' && boundary === 'allow' && session === 'allow';
}

/**
 * A decision in the form of logs and metrics. One that could not be made is an `error` without a policy.
 * @param isEnforced false for a deny that audit mode let pass.
 */
export function decisionFacts(
  decision: AccessDecision,
  durationUs: number,
  isEnforced = true,
): DecisionFacts {
  const { effect, policyType, statement, fault } = decision;
  return {
    decision: fault === undefined ? effect : 'error',
    policyType,
    isEnforced,
    durationUs,
    ...(statement === undefined ? {} : { matchedPolicy: statement.policy }),
    ...(statement?.sid === undefined ? {} : { matchedSid: statement.sid }),
  };
}
