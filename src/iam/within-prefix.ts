import type { Decision } from './combine.ts';
import type { CompiledPolicy, CompiledStatement } from './compile.ts';
import { type AuthorizationQuery, conditionsHold } from './evaluate.ts';
import type { PrincipalLevel } from './match-principal.ts';
import { coversExtensions, mayReach } from './match-resource.ts';
import {
  type PolicySets,
  type PolicyType,
  policiesOf,
  policyTypes,
  startBudget,
  withBoundary,
} from './policy-sets.ts';
import { EvaluationScope } from './scope.ts';

/** Why a part is refused. */
export type PartRefusal = Pick<Decision, 'isExplicitDeny' | 'policyType' | 'statement'>;

/**
 * Why an allowed decision about one resource does not hold for everything that starts with a prefix: a Deny applies to a
 * part of it, or no single Allow of a set that has to allow applies to all of it. May find a reason too often, never misses
 * one.
 * @throws DecisionError when the budget is used up.
 */
export function refusalWithin(
  sets: PolicySets,
  asked: AuthorizationQuery,
  prefix: string,
  allowed: Decision,
): PartRefusal | undefined {
  const range = new PrefixRange(sets, asked, prefix);
  for (const policyType of policyTypes) {
    const found = range.statements(policyType).find((statement) => range.deniesPart(statement));
    if (found !== undefined) return { isExplicitDeny: true, policyType, statement: found.reference };
  }
  const policyType = missingWhole(range, allowed);
  return policyType && { isExplicitDeny: false, policyType };
}

/** The set in which no Allow applies to the whole range; as `missingAllow` finds it for one resource. */
function missingWhole(range: PrefixRange, allowed: Decision): PolicyType | undefined {
  if (range.hasWholeAllow('resource', 'direct')) return undefined;
  if (!range.hasWholeAllow('identity') && !range.hasWholeAllow('resource', 'entity'))
    return allowed.policyType === 'resource' ? 'resource' : 'identity';
  return (['boundary', 'session'] as const).find(
    (one) => range.sets[one] !== undefined && !range.hasWholeAllow(one),
  );
}

/** Every resource that starts with a prefix, of which one was asked for. */
class PrefixRange {
  readonly sets: PolicySets;
  readonly #prefix: string;
  readonly #action: string;
  /** Of the resource that was asked for. */
  readonly #scope: EvaluationScope;
  /** Of the prefix as if it were a resource: a pattern that ends in `*` and matches it matches all of the range. */
  readonly #shortest: EvaluationScope;

  constructor(sets: PolicySets, asked: AuthorizationQuery, prefix: string) {
    const query = withBoundary(sets, asked);
    const budget = startBudget(sets, query);
    this.sets = policiesOf(sets, query);
    this.#prefix = prefix;
    this.#action = query.action.toLowerCase();
    this.#scope = new EvaluationScope(query, budget);
    this.#shortest = new EvaluationScope({ ...query, resource: prefix }, budget);
  }

  statements(policyType: PolicyType): readonly CompiledStatement[] {
    const policies: readonly CompiledPolicy[] = this.sets[policyType] ?? [];
    return policies.flatMap(({ statements }) => statements);
  }

  deniesPart(statement: CompiledStatement): boolean {
    if (statement.effect === 'Allow' || !statement.matchesAction(this.#action)) return false;
    // A Deny of the resource that was asked for has been decided with it.
    if (statement.matchesResource(this.#scope) === true) return false;
    if (this.#levelOf(statement) === 'none') return false;
    const isPart = statement.excludesResources ? !this.#isCovered(statement) : this.#isReached(statement);
    return isPart && conditionsHold(statement, this.#scope) !== false;
  }

  /** @param level at which a statement of a bucket policy has to name the caller. */
  hasWholeAllow(policyType: PolicyType, level?: PrincipalLevel): boolean {
    return this.statements(policyType).some(
      (statement) => this.#levelOf(statement) === level && this.#allowsWhole(statement),
    );
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
