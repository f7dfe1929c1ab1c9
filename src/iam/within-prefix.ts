import { type Decision, type PolicySets, startBudget, withBoundary } from './combine.ts';
import type { CompiledPolicy, CompiledStatement, StatementReference } from './compile.ts';
import { type AuthorizationQuery, conditionsHold, statementApplies } from './evaluate.ts';
import { mayReach, type ResourceRange } from './match-resource.ts';
import { EvaluationScope } from './scope.ts';

/**
 * The statement because of which an allowed decision about one resource does not hold for everything that starts with a
 * prefix: a Deny of a part of it, or the Allow of any set that had to allow, when it leaves a part out. May find one too
 * often, never misses one: patterns are compared by the text before their first wildcard.
 */
export function refusalWithin(
  sets: PolicySets,
  asked: AuthorizationQuery,
  prefix: string,
  allowed: Decision,
): StatementReference | undefined {
  const query = withBoundary(sets, asked);
  const scope = new EvaluationScope(query, startBudget(sets, query));
  const action = query.action.toLowerCase();
  const overlaps = (range: ResourceRange): boolean => mayReach(range, prefix);
  const deniesPart = (statement: CompiledStatement): boolean => {
    if (statement.effect === 'Allow' || !statement.matchesAction(action)) return false;
    // A Deny of the very resource was decided with it.
    if (statement.matchesResource(scope) === true) return false;
    if (statement.principalLevel?.(query.principal) === 'none') return false;
    const isPart = statement.excludesResources || statement.ranges.some(overlaps);
    return isPart && conditionsHold(statement, scope) !== false;
  };
  const leavesPartOut = ({ excludesResources, ranges }: CompiledStatement): boolean =>
    excludesResources && ranges.some(overlaps);
  const allows = (statement: CompiledStatement): boolean =>
    statement.effect === 'Allow' &&
    statement.matchesAction(action) &&
    statementApplies(statement, scope) === true;
  for (const set of [sets.identity, sets.boundary, sets.session, sets.resource]) {
    const found = statementsOf(set).find(deniesPart);
    if (found !== undefined) return found.reference;
  }
  for (const set of requiredSets(sets, allowed)) {
    const allowing = statementsOf(set).filter(allows);
    // Of a bucket policy, only the statement that grants names the caller closely enough for sure.
    const granting =
      set === sets.resource ? allowing.filter((one) => isSame(one.reference, allowed.statement)) : allowing;
    const [first] = granting;
    if (first !== undefined && granting.every(leavesPartOut)) return first.reference;
  }
  return undefined;
}

/** The sets without whose Allow the decision would have been another. */
function requiredSets({ identity, boundary, session, resource }: PolicySets, { policyType, sets }: Decision) {
  if (policyType !== 'resource') return [identity, boundary, session];
  return sets.resourceLevel === 'direct' ? [resource] : [resource, boundary, session];
}

function statementsOf(policies: readonly CompiledPolicy[] | undefined): readonly CompiledStatement[] {
  return policies?.flatMap(({ statements }) => statements) ?? none;
}

const none: readonly never[] = [];

function isSame(left: StatementReference, right: StatementReference | undefined): boolean {
  return left.policy === right?.policy && left.index === right.index;
}
