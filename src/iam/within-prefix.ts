import { type Decision, type PolicySets, startBudget, withBoundary } from './combine.ts';
import type { CompiledStatement, StatementReference } from './compile.ts';
import { type AuthorizationQuery, conditionsHold } from './evaluate.ts';
import { mayReach, type ResourceRange } from './match-resource.ts';
import { EvaluationScope } from './scope.ts';

/**
 * The statement because of which an allowed decision about one resource does not hold for everything that starts with a
 * prefix: a Deny of a part of it, or an Allow that leaves a part out. May find one too often, never misses one: patterns
 * are compared by the text before their first wildcard.
 */
export function refusalWithin(
  sets: PolicySets,
  asked: AuthorizationQuery,
  prefix: string,
  allowed: Decision,
): StatementReference | undefined {
  const query = withBoundary(sets, asked);
  const scope = new EvaluationScope(query, startBudget(sets, query));
  const overlaps = (range: ResourceRange): boolean => mayReach(range, prefix);
  const refuses = (statement: CompiledStatement): boolean => {
    if (!statement.matchesAction(query.action.toLowerCase())) return false;
    const { effect, reference, ranges, excludesResources } = statement;
    if (effect === 'Allow') {
      return excludesResources && isSame(reference, allowed.statement) && ranges.some(overlaps);
    }
    // A Deny of the very resource was decided with it.
    if (statement.matchesResource(scope) === true) return false;
    if (statement.principalLevel?.(query.principal) === 'none') return false;
    const isPart = excludesResources || ranges.some(overlaps);
    return isPart && conditionsHold(statement, scope) !== false;
  };
  const policies = [sets.identity, sets.boundary, sets.session, sets.resource].flatMap((set) => set ?? none);
  for (const { statements } of policies) {
    const found = statements.find(refuses);
    if (found !== undefined) return found.reference;
  }
  return undefined;
}

const none: readonly never[] = [];

function isSame(left: StatementReference, right: StatementReference | undefined): boolean {
  return left.policy === right?.policy && left.index === right.index;
}
