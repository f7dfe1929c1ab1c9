import { DecisionBudget } from './budget.ts';
import type { Decision } from './combine.ts';
import type { CompiledPolicy, CompiledStatement } from './compile.ts';
import type { AuthorizationQuery } from './evaluate.ts';
import type { PrincipalLevel } from './match-principal.ts';
import { coversExtensions, mayReach } from './match-resource.ts';
import {
  alternativesOf,
  type PolicySets,
  type PolicyType,
  policiesOf,
  policyTypes,
  withBoundary,
} from './policy-sets.ts';
import { EvaluationScope } from './scope.ts';
import { conditionsHold } from './statement-applies.ts';

/** The reason why part of a range is refused. */
export type PartRefusal = Pick<Decision, 'isExplicitDeny' | 'policyType' | 'statement'>;

/**
 * Extends an allowed decision about one resource to every resource that starts with a prefix. Returns the reason when that
 * is not possible: a Deny applies to part of the range, or a set that has to allow has no single Allow for all of it. It
 * errs on the side of refusing.
 * @throws DecisionFault when the budget is used up.
 */
export function refusalWithin(
  sets: PolicySets,
  asked: AuthorizationQuery,
  prefix: string,
  allowed: Decision,
): PartRefusal | undefined {
  const range = new PrefixRange(sets, asked, prefix);
  for (const policyType of policyTypes) {
    const found = range.find(policyType, (statement) => range.deniesPart(statement));
    if (found !== undefined) return { isExplicitDeny: true, policyType, statement: found.reference };
  }
  const policyType = missingWhole(range, allowed);
  return policyType && { isExplicitDeny: false, policyType };
}

/** The set that has no Allow for the whole range; the counterpart of `missingAllow`. */
function missingWhole(range: PrefixRange, allowed: Decision): PolicyType | undefined {
  if (range.hasWholeAllow('resource', 'direct'))
    return range.hasWholeAllow('scopeDown') ? undefined : 'scopeDown';
  if (!range.hasWholeAllow('identity') && !range.hasWholeAllow('resource', 'entity'))
    return allowed.policyType === 'resource' ? 'resource' : 'identity';
  return (['boundary', 'session', 'scopeDown'] as const).find((one) => !range.hasWholeAllow(one));
}

/** Every resource that starts with a prefix; the query names one of them. */
class PrefixRange {
  readonly sets: PolicySets;
  readonly #prefix: string;
  readonly #action: string;
  /** The scope of the resource that the query names. */
  readonly #scope: EvaluationScope;
  /** The scope of the prefix itself: a pattern that ends in `*` and matches the prefix matches the whole range. */
  readonly #shortest: EvaluationScope;

  constructor(sets: PolicySets, asked: AuthorizationQuery, prefix: string) {
    const query = withBoundary(sets, asked);
    const { budget: steps = new DecisionBudget() } = query;
    const budget = steps.begin();
    this.sets = policiesOf(sets, query);
    this.#prefix = prefix;
    this.#action = query.action.toLowerCase();
    this.#scope = new EvaluationScope(query, budget);
    this.#shortest = new EvaluationScope({ ...query, resource: prefix }, budget);
  }

  /** The first statement of a set that passes a test. */
  find(
    policyType: PolicyType,
    test: (statement: CompiledStatement) => boolean,
  ): CompiledStatement | undefined {
    return this.#findIn(this.sets[policyType] ?? [], test);
  }

  #findIn(
    policies: readonly CompiledPolicy[],
    test: (statement: CompiledStatement) => boolean,
  ): CompiledStatement | undefined {
    for (const { statements, characters } of policies) {
      this.#scope.budget.startPolicy(characters);
      const found = statements.find(test);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  deniesPart(statement: CompiledStatement): boolean {
    if (statement.effect === 'Allow' || !statement.matchesAction(this.#action)) return false;
    // A Deny that matches the resource of the query was decided with that query.
    if (statement.matchesResource(this.#scope) === true) return false;
    if (this.#levelOf(statement) === 'none') return false;
    const isPart = statement.excludesResources ? !this.#isCovered(statement) : this.#isReached(statement);
    return isPart && conditionsHold(statement, this.#scope) !== false;
  }

  /**
   * True when the set has an Allow for the whole range, or when there is no such set that could limit it.
   * @param level the level at which a statement of a bucket policy must name the caller.
   */
  hasWholeAllow(policyType: PolicyType, level?: PrincipalLevel): boolean {
    const isWhole = (statement: CompiledStatement): boolean =>
      this.#levelOf(statement) === level && this.#allowsWhole(statement);
    const alternatives = alternativesOf(this.sets, policyType);
    if (alternatives === undefined) return policyType !== 'resource';
    return alternatives.every((policies) => this.#findIn(policies, isWhole) !== undefined);
  }

  #allowsWhole(statement: CompiledStatement): boolean {
    if (statement.effect === 'Deny' || !statement.matchesAction(this.#action)) return false;
    const isWhole = statement.excludesResources
      ? !this.#isReached(statement) && statement.matchesResource(this.#scope) === true
      : this.#isCovered(statement);
    return isWhole && conditionsHold(statement, this.#scope) === true;
  }

  #isReached({ ranges }: CompiledStatement): boolean {
    return ranges.some((range) => mayReach(range, this.#prefix));
  }

  #isCovered({ ranges }: CompiledStatement): boolean {
    return ranges.some((range) => coversExtensions(range, this.#shortest));
  }

  #levelOf({ principalLevel }: CompiledStatement): PrincipalLevel | undefined {
    return principalLevel?.(this.#scope.query.principal);
  }
}
