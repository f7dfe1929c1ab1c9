import { DecisionBudget, type StepsOfDecision } from './budget.ts';
import type { CompiledPolicy, CompiledStatement, StatementReference } from './compile.ts';
import type { Condition } from './conditions/condition.ts';
import { DecisionFault } from './decision-fault.ts';
import type { AuthorizationQuery, PrincipalLevel } from './evaluate.ts';
import type { Explained } from './explain.ts';
import { type FailedTest, failedCondition, failedResource } from './failed-test.ts';
import type { ResourceRange } from './match-resource.ts';
import { type PolicySets, type PolicyType, policiesOf, withBoundary } from './policy-sets.ts';
import { EvaluationScope, type Resumable, type Truth } from './scope.ts';
import { mayHavePrefix } from './statement-applies.ts';

/** The Allow statement that came closest to allowing what was denied. */
export interface NearMiss {
  /** The set of the statement. */
  readonly policyType: PolicyType;
  readonly statement: StatementReference;
  /** What did not match: the first condition that fails, or the Resource element. */
  readonly failed: FailedTest;
  /** Conditions that fail besides `failed`. */
  readonly otherFailures: number;
}

/** Most statements that are looked at, once for their conditions and once for their resources. */
export const maxSearchedStatements = 256;

/** Steps that a search may take: about a tenth of a millisecond, whatever the policies of the caller are. */
export const maxSearchSteps = 20_000;

/**
 * The statement that came closest to allowing what was implicitly denied, in the set whose Allow is missing. Closest is the Allow
 * that matches principal, action and resource, and of whose conditions the fewest fail. When there is none, it is the Allow that
 * matches principal and action, and of which a Resource pattern has the longest beginning in common with the resource. Of equals it
 * is the first. Nothing else is a near miss: an Allow of another action, or for another caller, was not meant.
 *
 * The search knows nothing of what was looked up, such as the tags of the object: the caller need not be allowed to read it, and could
 * tell it from the statement that is named. Such a condition is named only where no other one fails, and does not count otherwise.
 *
 * A missing identity-based Allow can also come from a bucket policy, so that one counts too where it would grant by itself. There is
 * no near miss for an explicit deny, for a decision that could not be made, and where an Allow applies as it is, because something
 * else is missing then. A search that would take longer than {@link maxSearchSteps} ends with what it has found.
 */
export function nearestStatement(
  sets: PolicySets,
  asked: AuthorizationQuery,
  denied: Explained,
): NearMiss | undefined {
  if (denied.isExplicitDeny || denied.policyType === 'none') return undefined;
  const query = withBoundary(sets, { ...asked, context: asked.context.withoutLookUps() });
  const { budget = new DecisionBudget() } = query;
  const searched = searchedSets(policiesOf(sets, query), denied);
  const search = new Search(query, budget.beginBounded(maxSearchSteps));
  search.within(() => {
    for (const set of searched) search.byConditions(set);
  });
  if (!search.hasFound) {
    search.within(() => {
      for (const set of searched) search.byResources(set);
    });
  }
  return search.nearest(budget.beginBounded(maxSearchSteps));
}

/** The policies of one set in which an Allow is missing. */
interface SearchedSet {
  readonly policyType: PolicyType;
  readonly policies: readonly CompiledPolicy[];
  /** The levels at which a statement with Principal must name the caller. */
  readonly levels: readonly PrincipalLevel[];
}

const anyLevel: readonly PrincipalLevel[] = ['direct', 'entity', 'account'];
const grantingLevels: readonly PrincipalLevel[] = ['direct', 'entity'];

function searchedSets(all: PolicySets, { policyType, sets: effects }: Explained): readonly SearchedSet[] {
  if (policyType === 'none') return [];
  const policies = all[policyType] ?? [];
  if (policyType === 'scopeDown') {
    const layer = effects?.scopeDownLayer;
    const silent = layer === undefined ? policies : policies.slice(layer - 1, layer);
    return [{ policyType, policies: silent, levels: anyLevel }];
  }
  const missing = { policyType, policies, levels: anyLevel };
  if (policyType !== 'identity' || all.resource === undefined) return [missing];
  return [missing, { policyType: 'resource', policies: all.resource, levels: grantingLevels }];
}

interface FailedCondition {
  readonly condition: Condition;
  readonly isUnreadable: boolean;
}

/** A statement with where it stands. */
interface Placed {
  readonly policyType: PolicyType;
  readonly policy: CompiledPolicy;
  readonly statement: CompiledStatement;
}

/** A statement that may be the nearest one. */
interface Candidate extends Placed {
  /** The first condition that fails, or the nearest of the patterns that do not match. */
  readonly failed: FailedCondition | ResourceRange;
  /** The smaller, the nearer: conditions that fail, or the negated length of what the resource has in common with the pattern. */
  readonly distance: number;
}

class Search {
  readonly #query: AuthorizationQuery;
  readonly #scope: EvaluationScope;
  #best: Candidate | undefined;
  /** True when an Allow applies, so that something else is missing. */
  #isAllowed = false;

  constructor(query: AuthorizationQuery, budget: StepsOfDecision) {
    this.#query = query;
    this.#scope = new EvaluationScope(query, budget);
  }

  /** True when the search need not go on. */
  get hasFound(): boolean {
    return this.#isAllowed || this.#best !== undefined;
  }

  /** Does a part of the search, and ends it when it takes too long. */
  within(part: () => void): void {
    try {
      part();
    } catch (error) {
      if (!(error instanceof DecisionFault)) throw error;
    }
  }

  byConditions(set: SearchedSet): void {
    const { action, resource } = this.#query;
    this.#each(
      set,
      ({ index }) => index.find(action, resource).allows,
      (placed) => this.#countFailures(placed),
    );
  }

  byResources(set: SearchedSet): void {
    this.#each(
      set,
      ({ index }) => index.ofAction(this.#query.action).allows,
      (placed) => this.#compareResources(placed),
    );
  }

  /** The near miss; `budget` pays for writing it down. */
  nearest(budget: StepsOfDecision): NearMiss | undefined {
    if (this.#isAllowed || this.#best === undefined) return undefined;
    const { policyType, policy, statement, failed, distance } = this.#best;
    const showing = { scope: new EvaluationScope(this.#query, budget), hasVariables: policy.hasVariables };
    const found = { policyType, statement: statement.reference };
    return 'condition' in failed
      ? {
          ...found,
          failed: failedCondition(failed.condition, failed.isUnreadable, showing),
          otherFailures: distance - 1,
        }
      : { ...found, failed: failedResource(statement, failed, showing), otherFailures: 0 };
  }

  #each(
    { policyType, policies, levels }: SearchedSet,
    statementsOf: (policy: CompiledPolicy) => readonly CompiledStatement[],
    test: (placed: Placed) => void,
  ): void {
    let left = maxSearchedStatements;
    for (const policy of policies) {
      for (const statement of statementsOf(policy)) {
        if (left === 0 || this.#isAllowed) return;
        left -= 1;
        this.#scope.budget.spend(stepsPerStatement);
        const level = statement.principalLevel?.(this.#query.principal);
        if (level === undefined || levels.includes(level)) test({ policyType, policy, statement });
      }
    }
  }

  #countFailures(placed: Placed): void {
    const { statement } = placed;
    const matches = this.#matchesResource(statement);
    if (matches === false) return;
    let failed: FailedCondition | undefined;
    let unknown: FailedCondition | undefined;
    let distance = 0;
    for (const condition of statement.conditions) {
      this.#scope.budget.spend(stepsPerCondition);
      const holds = condition.holds(this.#scope);
      if (holds === 'unknown') unknown ??= { condition, isUnreadable: false };
      if (holds !== false && holds !== 'unreadable') continue;
      failed ??= { condition, isUnreadable: holds === 'unreadable' };
      distance += 1;
    }
    if (failed !== undefined) this.#offer(placed, failed, distance);
    else if (unknown !== undefined) this.#offer(placed, unknown, 1);
    else if (matches === true) this.#isAllowed = true;
  }

  #matchesResource({ resourcePrefix, matchesResource }: CompiledStatement): Resumable<Truth> {
    return mayHavePrefix(this.#query.resource, resourcePrefix) && matchesResource(this.#scope);
  }

  #compareResources(placed: Placed): void {
    const { statement } = placed;
    // One that matches waits for a look-up, and its conditions have been tested.
    if (this.#matchesResource(statement) !== false) return;
    for (const failed of statement.ranges) {
      this.#scope.budget.spend(stepsPerPattern);
      if (!this.#mayBeNearer(failed)) continue;
      const length = commonLength(failed.text, this.#query.resource);
      this.#scope.budget.spend(length);
      this.#offer(placed, failed, -length);
    }
  }

  // A pattern that differs from the resource where the best one does is not nearer. Most do.
  #mayBeNearer({ text }: ResourceRange): boolean {
    if (this.#best === undefined) return true;
    const common = -this.#best.distance;
    return text.charCodeAt(common) === this.#query.resource.charCodeAt(common);
  }

  // Makes an object of the best ones alone: there can be hundreds of others.
  #offer(placed: Placed, failed: Candidate['failed'], distance: number): void {
    if (this.#best !== undefined && this.#best.distance <= distance) return;
    this.#best = { ...placed, failed, distance };
  }
}

/** Cost of a statement, a condition and a pattern that differ at their start, in comparisons. */
const [stepsPerStatement, stepsPerCondition, stepsPerPattern] = [8, 8, 8];

/** How many code units two texts begin with in common. */
function commonLength(left: string, right: string): number {
  const end = Math.min(left.length, right.length);
  let length = 0;
  while (length < end && left.charCodeAt(length) === right.charCodeAt(length)) length += 1;
  return length;
}
