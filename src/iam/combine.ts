/*
 * This folder is the policy engine: it parses, compiles, evaluates and explains IAM policies.
 * In: policy documents, and a query of principal, action, resource and request context.
 * Out: a `Decision`, or `NeedsKeys` when the decision depends on context keys that have to be looked up first.
 * It never looks anything up itself and never reads a clock: all of its input is in the query.
 * It never allows because of an error: an error while deciding is a deny.
 */

import type { MaybePromise } from '../core/maybe-promise.ts';
import { DecisionBudget } from './budget.ts';
import {
  type AuthorizationQuery,
  SetEvaluation,
  type SetResult,
  type StatementReference,
} from './evaluate.ts';
import { intersect } from './intersect.ts';
import { type PolicySets, type PolicyType, policiesOf, policyTypes, withBoundary } from './policy-sets.ts';
import { paused } from './scope.ts';
import {
  effectsAtBest,
  effectsNow,
  isAllowedBeside,
  isTrustDecision,
  missingAllow,
  pendingKeys,
  type SetEffects,
  type SetResults,
} from './set-effects.ts';

export type { PolicySets, PolicyType } from './policy-sets.ts';
export type { SetEffects } from './set-effects.ts';

/** An answer with its reason. */
export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** True when a Deny statement applies; false for allows and for implicit denies. */
  readonly isExplicitDeny: boolean;
  /** The set that granted, denied, or should have allowed; `none` when the decision could not be made. */
  readonly policyType: PolicyType | 'none';
  /** The statement that decided; absent from implicit denies, and from allows that root has without a policy. */
  readonly statement?: StatementReference;
  readonly sets: SetEffects;
  /** The error that was thrown while deciding. Only on a deny. It is a server fault to log; audit mode never relaxes it. */
  readonly fault?: unknown;
}

/** No decision yet: it depends on context keys that only the store knows. */
export interface NeedsKeys {
  readonly effect: 'needs';
  /** The keys to look up, in lower case, sorted. */
  readonly keys: readonly string[];
}

/**
 * Decides one (action, resource) pair for one caller (IAM user guide, "Policy evaluation logic", single account). A
 * Deny in any set wins. A bucket policy that names the caller directly then grants by itself; one that names the role or
 * user behind a session grants together with session policies and boundary. Otherwise identity, boundary and session
 * policies must all allow. To assume a role, its trust policy must allow as well. Every scope-down policy of the session must
 * allow whatever else grants. For anonymous, web-identity and SAML callers only the resource set counts. Any error becomes a
 * deny.
 */
export function decide(sets: PolicySets, query: AuthorizationQuery): Decision | NeedsKeys {
  try {
    const steps = decideInSteps(sets, query, 'without pauses');
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  } catch (fault) {
    return failedDecision(fault);
  }
}

/**
 * {@link decide} with pauses, for decisions that are many or large enough to keep other clients waiting. Before each
 * policy, and in long ones between statements, values and patterns, it calls `rest` and awaits the promise, until `rest`
 * returns `undefined`.
 */
export function decideWithPauses(
  sets: PolicySets,
  query: AuthorizationQuery,
  rest: () => Promise<void> | undefined,
): MaybePromise<Decision | NeedsKeys> {
  return proceed(decideInSteps(sets, query, 'with pauses'), rest);
}

type Steps = Generator<void, Decision | NeedsKeys, void>;

/** @param reached where the steps have stopped; they begin when it is absent */
function proceed(
  steps: Steps,
  rest: () => Promise<void> | undefined,
  reached?: IteratorYieldResult<void>,
): MaybePromise<Decision | NeedsKeys> {
  try {
    let step = reached ?? steps.next();
    while (step.done !== true) {
      const stopped = step;
      const resting = rest();
      // Other decisions resume in the same turn and may use it up before this one, so `rest` is asked again.
      if (resting !== undefined) return resting.then(() => proceed(steps, rest, stopped));
      step = steps.next();
    }
    return step.value;
  } catch (fault) {
    return failedDecision(fault);
  }
}

/** Stops before each policy; with pauses, also inside. */
function* decideInSteps(
  sets: PolicySets,
  query: AuthorizationQuery,
  pauses: 'with pauses' | 'without pauses',
): Steps {
  const bound = withBoundary(sets, query);
  const { budget: steps = new DecisionBudget() } = bound;
  const budget = steps.begin(pauses);
  const policies = policiesOf(sets, bound);
  const results: { -readonly [T in keyof SetResults]: SetResults[T] } = { ...noResults };
  for (const policyType of policyTypes) {
    const set = policies[policyType];
    if (set === undefined) continue;
    let evaluation = new SetEvaluation(bound, budget);
    const layers: SetResult[] | undefined = policyType === 'scopeDown' ? [] : undefined;
    for (const policy of set) {
      yield;
      let isDenied = evaluation.add(policy);
      while (isDenied === paused) {
        yield;
        budget.endPause();
        isDenied = evaluation.add(policy);
      }
      if (layers !== undefined) {
        layers.push(evaluation.result());
        evaluation = new SetEvaluation(bound, budget);
      }
      if (isDenied) break;
    }
    results[policyType] = layers === undefined ? evaluation.result() : intersect(layers);
  }
  return combine(results, sets, bound);
}

/** The deny of a decision that could not be made: a server fault to log, for which no policy is the reason. */
export function failedDecision(fault: unknown): Decision {
  return { effect: 'deny', isExplicitDeny: false, policyType: 'none', sets: nothingKnown, fault };
}

const nothingKnown: SetEffects = {
  identity: 'none',
  boundary: undefined,
  session: undefined,
  scopeDown: undefined,
  resource: undefined,
  resourceLevel: 'none',
};

const noResults: SetResults = {
  identity: undefined,
  boundary: undefined,
  session: undefined,
  scopeDown: undefined,
  resource: undefined,
};

function combine(results: SetResults, sets: PolicySets, query: AuthorizationQuery): Decision | NeedsKeys {
  const effects = effectsNow(results, query);
  const { identity, boundary, session, scopeDown, resource } = results;
  if (identity?.effect === 'deny') return denied('identity', identity.statement, effects);
  if (boundary?.effect === 'deny') return denied('boundary', boundary.statement, effects);
  if (session?.effect === 'deny') return denied('session', session.statement, effects);
  if (scopeDown?.effect === 'deny') return denied('scopeDown', scopeDown.statement, effects);
  if (resource?.effect === 'deny') return denied('resource', resource.statement, effects);
  const missing = missingAllow(effects, sets, query);
  // A Deny matters even when nothing allows: audit mode relaxes an implicit deny but not an explicit one.
  // STS also reads the effects of the single sets of a trust decision, so all of them must be known.
  const isOpen =
    isTrustDecision(sets, query) ||
    (missing !== undefined && !isSettled(missing, effects, { results, sets, query }));
  if (missing !== undefined && !isOpen && query.isEnforced === true && query.isDenyOnly !== true)
    return { effect: 'deny', isExplicitDeny: false, policyType: missing, sets: effects };
  const keys = pendingKeys(results, isOpen ? ['denyKeys', 'allowKeys'] : ['denyKeys']);
  if (keys !== undefined) return { effect: 'needs', keys };
  if (missing !== undefined)
    return { effect: 'deny', isExplicitDeny: false, policyType: missing, sets: effects };
  const { resourceLevel } = effects;
  const policyType = resourceLevel === 'direct' || resourceLevel === 'entity' ? 'resource' : 'identity';
  const granting = results[policyType];
  return granting?.effect === 'allow'
    ? { effect: 'allow', isExplicitDeny: false, policyType, statement: granting.statement, sets: effects }
    : { effect: 'allow', isExplicitDeny: false, policyType, sets: effects };
}

function denied(policyType: PolicyType, statement: StatementReference, sets: SetEffects): Decision {
  return { effect: 'deny', isExplicitDeny: true, policyType, statement, sets };
}

/**
 * True when no look-up of an Allow could make an implicit deny an allow. Audit mode and explanations also need to know whether one
 * could give it another reason; a caller would learn from that reason what was looked up.
 */
function isSettled(
  missing: PolicyType,
  effects: SetEffects,
  { results, sets, query }: { results: SetResults; sets: PolicySets; query: AuthorizationQuery },
): boolean {
  const best = effectsAtBest(results, query);
  const missingAtBest = missingAllow(best, sets, query);
  if (query.isEnforced === true && query.isDenyOnly !== true) return missingAtBest !== undefined;
  if (missingAtBest !== missing) return false;
  // Audit mode relaxes a missing identity allow only where boundary and session policies allow.
  return missing !== 'identity' || isAllowedBeside(best) === isAllowedBeside(effects);
}
