import type { Asker, Caller } from '../authenticate/caller.ts';
import type { ForStore } from '../authenticate/for-store.ts';
import { alwaysThere, type WaitingClient } from '../core/client-gone.ts';
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
import { describeNearMiss } from '../iam/describe-near-miss.ts';
import type { AuthorizationQuery } from '../iam/evaluate.ts';
import type { Explained } from '../iam/explain.ts';
import { type NearMiss, nearestStatement } from '../iam/near-miss.ts';
import { isAllowedBeside } from '../iam/set-effects.ts';
import type { Identified } from './asker.ts';
import { gatherInTurn } from './gather-in-turn.ts';
import type { PolicyGatherer } from './gather-policies.ts';
import { Pace, stepsPerSlice } from './pace.ts';

/** A final decision; what could not be decided is a deny. */
export interface AccessDecision extends Decision {
  /** Of an implicit deny that is logged: the Allow that came closest. */
  readonly nearMiss?: NearMiss | undefined;
}

/** Makes the decisions of one request, one after the other. */
export interface Decisions {
  /** Like `decide` of the policy engine. */
  decide(sets: PolicySets, query: AuthorizationQuery): MaybePromise<Decision | NeedsKeys>;
  /** Like `nearestStatement` of the policy engine; part of the work of the request. */
  nearest(sets: PolicySets, query: AuthorizationQuery, denied: Explained): NearMiss | undefined;
}

/**
 * Decides for one request of a known caller, one decision after the other, and gives everything else its turn when they take
 * long, once the request has used up its slice. Ends when its client has left.
 */
export class PacedDecisions implements Decisions {
  readonly #budget: DecisionBudget = new DecisionBudget();
  readonly #pace: Pace;

  constructor(client: WaitingClient = alwaysThere) {
    this.#pace = new Pace(this.#budget, client);
  }

  /**
   * Gathers the policies of the caller. A session policy that must be compiled first is work of the request, too.
   * @throws ClientGoneError
   */
  gather(policies: PolicyGatherer, caller: Caller): MaybePromise<PolicySets> {
    return gatherInTurn(policies, caller, this.#pace);
  }

  /**
   * Like `decide` of the policy engine.
   * @throws ClientGoneError
   */
  decide(sets: PolicySets, query: AuthorizationQuery): MaybePromise<Decision | NeedsKeys> {
    const { entityArn, arn } = query.principal;
    const rest = (): Promise<void> | undefined => this.#pace.rest({ owner: entityArn ?? arn, session: arn });
    return whenReady(decideWithPauses(sets, { ...query, budget: this.#budget }, rest), (decision) => {
      this.#pace.count();
      return decision;
    });
  }

  /** Like `nearestStatement` of the policy engine. */
  nearest(sets: PolicySets, query: AuthorizationQuery, denied: Explained): NearMiss | undefined {
    const found = nearestStatement(sets, { ...query, budget: this.#budget }, denied);
    this.#pace.count();
    return found;
  }
}

/** Waits for a turn of the event loop, of which the work that follows takes that share. */
type WaitForShare = (share: number) => Promise<void>;

/** Steps that a request takes without asking: the rest of it costs more. */
const freeSteps = 10_000;

/** The part of a turn that it asks for each time it goes on. */
const share = 0.25;

/**
 * Decides for one request of a stranger, one decision after the other. A long decision asks for a share of a turn again and again,
 * and a stranger that waits for one can give its place to another: what it keeps meanwhile is as large as it chose its claims.
 * Short decisions wait for nothing, however busy the event loop is, so that strangers do not heap up with all they keep.
 */
export class StrangersDecisions implements Decisions {
  readonly #budget: DecisionBudget = new DecisionBudget();
  readonly #waitForShare: WaitForShare;
  #allowed: number = freeSteps;

  constructor(waitForShare: WaitForShare) {
    this.#waitForShare = waitForShare;
  }

  /**
   * Like `decide` of the policy engine.
   * @throws what waiting for a turn throws
   */
  decide(sets: PolicySets, query: AuthorizationQuery): MaybePromise<Decision | NeedsKeys> {
    return decideWithPauses(sets, { ...query, budget: this.#budget }, () => this.#rest());
  }

  /** Like `nearestStatement` of the policy engine. */
  nearest(sets: PolicySets, query: AuthorizationQuery, denied: Explained): NearMiss | undefined {
    return nearestStatement(sets, { ...query, budget: this.#budget }, denied);
  }

  #rest(): Promise<void> | undefined {
    if (this.#budget.spent < this.#allowed) return undefined;
    return this.#waitForShare(share).then(() => {
      this.#allowed = this.#budget.spent + share * stepsPerSlice;
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

/** True when the asker is in audit mode, as no anonymous one is. The setting of a role takes precedence over the global one. */
export function isAudited(caller: Asker, enforcement: Enforcement): boolean {
  if (caller.kind === 'anonymous') return false;
  const own = caller.kind === 'role-session' ? caller.entity.enforcement : undefined;
  return (own ?? enforcement) === 'audit';
}

/**
 * True for a deny whose only reason is that no identity policy allows, the only one that `enforcement: audit` relaxes. It
 * never relaxes explicit denies, boundaries, session policies, scope-down policies or errors.
 */
export function isUnallowedOnly(decision: AccessDecision): boolean {
  const { effect, isExplicitDeny, policyType, fault, sets } = decision;
  if (effect === 'allow' || isExplicitDeny || fault !== undefined || policyType !== 'identity') return false;
  return sets.identity === 'none' && isAllowedBeside(sets);
}

/** Which refusals pass: none, those that audit mode only records, or all but denials, where the store decides. */
export type Leniency = 'none' | 'audit' | 'store';

/** The leniency that a request is decided with. */
export function leniencyFor(identified: Identified | ForStore, enforcement: Enforcement): Leniency {
  if ('decidedBy' in identified) return 'store';
  return isAudited(identified.caller, enforcement) ? 'audit' : 'none';
}

/** True for a refusal that passes. */
export function isRelaxedBy(leniency: Leniency, decision: AccessDecision): boolean {
  if (leniency === 'store') return !decision.isExplicitDeny && decision.fault === undefined;
  return leniency === 'audit' && isUnallowedOnly(decision);
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
  const { effect, policyType, statement, fault, nearMiss } = decision;
  return {
    decision: fault === undefined ? effect : 'error',
    policyType,
    isEnforced,
    durationUs,
    ...(statement === undefined ? {} : { matchedPolicy: statement.policy }),
    ...(statement?.sid === undefined ? {} : { matchedSid: statement.sid }),
    ...(nearMiss === undefined ? {} : { nearMiss: describeNearMiss(nearMiss) }),
  };
}
