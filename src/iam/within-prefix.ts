import type { Decision } from './combine.ts';
import type { CompiledPolicy, CompiledStatement, StatementReference } from './compile.ts';
import { type AuthorizationQuery, conditionsHold, statementApplies } from './evaluate.ts';
import { covers, mayReach, type ResourceRange } from './match-resource.ts';
import { type PolicySets, type PolicyType, policyTypes, startBudget, withBoundary } from './policy-sets.ts';
import { EvaluationScope } from './scope.ts';

/** Why a part is refused. */
export type PartRefusal = Pick<Decision, 'isExplicitDeny' | 'policyType' | 'statement'>;

/**
 * Why an allowed decision about one resource does not hold for everything that starts with a prefix: a Deny of a part of
 * it, or the Allows of any set that had to allow, when each leaves a part out. May find a reason too often, never misses one:
 * patterns are compared by the text before their first wildcard.
 */
export function refusalWithin(
  sets: PolicySets,
  asked: AuthorizationQuery,
  prefix: string,
  allowed: Decision,
): PartRefusal | undefined {
  const query = withBoundary(sets, asked);
  const budget = startBudget(sets, query);
  const scope = new EvaluationScope(query, budget);
  const another = new EvaluationScope({ ...query, resource: prefix + anotherKey }, budget);
  const action = query.action.toLowerCase();
  const overlaps = (range: ResourceRange): boolean => mayReach(range, prefix);
  const deniesPart = (statement: CompiledStatement): boolean => {
    if (statement.effect === 'Allow' || !statement.matchesAction(action)) return false;
    // A Deny of the very resource was decided with it.
    if (statement.matchesResource(scope) === true) return false;
    if (statement.principalLevel?.(query.principal) === 'none') return false;
    const isPart = statement.excludesResources
      ? !statement.ranges.some((range) => covers(range, prefix))
      : statement.ranges.some(overlaps);
    return isPart && conditionsHold(statement, scope) !== false;
  };
  const leavesPartOut = ({ excludesResources, ranges }: CompiledStatement): boolean =>
    excludesResources && ranges.some(overlaps);
  const allows = (statement: CompiledStatement): boolean =>
    statement.effect === 'Allow' &&
    statement.matchesAction(action) &&
    statementApplies(statement, scope) === true &&
    statementApplies(statement, another) === true;
  for (const policyType of policyTypes) {
    const found = statementsOf(sets[policyType]).find(deniesPart);
    if (found !== undefined) return { isExplicitDeny: true, policyType, statement: found.reference };
  }
  for (const policyType of requiredSets(allowed)) {
    const allowing = statementsOf(sets[policyType]).filter(allows);
    // Of a bucket policy, only the statement that grants names the caller closely enough for sure.
    const granting =
      policyType === 'resource'
        ? allowing.filter((one) => isSame(one.reference, allowed.statement))
        : allowing;
    if (sets[policyType] !== undefined && granting.every(leavesPartOut))
      return { isExplicitDeny: false, policyType };
  }
  return undefined;
}

/** Like no other key: a statement that allows it too does not stop at keys that are short, or that begin like the one asked for. */
const anotherKey = '\u{10fffd}'.repeat(40);

/** The sets without whose Allow the decision would have been another, as far as they exist. */
function requiredSets({ policyType, sets }: Decision): readonly PolicyType[] {
  if (policyType !== 'resource') return ['identity', 'boundary', 'session'];
  return sets.resourceLevel === 'direct' ? ['resource'] : ['resource', 'boundary', 'session'];
}

function statementsOf(policies: readonly CompiledPolicy[] | undefined): readonly CompiledStatement[] {
  return policies?.flatMap(({ statements }) => statements) ?? none;
}

const none: readonly never[] = [];

function isSame(left: StatementReference, right: StatementReference | undefined): boolean {
  return left.policy === right?.policy && left.index === right.index;
}
