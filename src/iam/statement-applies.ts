import type { CompiledStatement } from './compiled-statement.ts';
import { type EvaluationScope, everyResumable, paused, type Resumable, type Truth } from './scope.ts';

/**
 * Tests a statement whose action matches. When the answer is unknown, the scope holds the keys it depends on.
 * @throws DecisionFault when the budget is used up or the resource is no ARN.
 */
export function statementApplies(statement: CompiledStatement, scope: EvaluationScope): Resumable<Truth> {
  return (
    mayHavePrefix(scope.query.resource, statement.resourcePrefix) && appliesBeyondPrefix(statement, scope)
  );
}

/** {@link statementApplies} for a resource that passed {@link mayHavePrefix}. */
export function appliesBeyondPrefix(statement: CompiledStatement, scope: EvaluationScope): Resumable<Truth> {
  const stopped = scope.resume();
  if (stopped?.index === inConditions) return withConditions(statement, scope, stopped.result !== true);
  if (stopped === undefined) {
    if (statement.principalLevel?.(scope.query.principal) === 'none') return false;
    scope.forgetPendingKeys();
  }
  const matchesResource = statement.matchesResource(scope);
  if (matchesResource === paused) {
    scope.stopAt(inResources, false);
    return paused;
  }
  if (matchesResource === false || statement.conditions.length === 0) return matchesResource;
  return withConditions(statement, scope, matchesResource === 'unknown');
}

/** Where the test of a statement was interrupted. */
const [inResources, inConditions] = [0, 1];

/** Goes on with the conditions of a statement whose resource matches, or may match. */
function withConditions(
  statement: CompiledStatement,
  scope: EvaluationScope,
  isUnknown: boolean,
): Resumable<Truth> {
  const holds = conditionsHold(statement, scope);
  if (holds === paused) scope.stopAt(inConditions, isUnknown ? 'unknown' : true);
  return holds === true && isUnknown ? 'unknown' : holds;
}

/**
 * Tests all conditions of a statement. When the outcome depends on a value that its operator cannot read, an Allow does not
 * apply and a Deny does. Callers choose some of these values: a malformed one must neither grant anything nor fail the whole
 * decision.
 */
export function conditionsHold(
  { conditions, effect }: CompiledStatement,
  scope: EvaluationScope,
): Resumable<Truth> {
  const [only] = conditions;
  const all =
    only !== undefined && conditions.length === 1
      ? only.holds(scope)
      : everyResumable(conditions, scope, ({ holds }) => holds(scope));
  return all === 'unreadable' ? effect === 'Deny' : all;
}

/**
 * A quick pre-check that compares the last code units of the prefix, where ARNs differ most: the bucket name. A resource
 * that passes is matched in full afterwards.
 */
export function mayHavePrefix(resource: string, prefix: string): boolean {
  const stop = Math.max(0, prefix.length - comparedUnits);
  for (let index = prefix.length - 1; index >= stop; index -= 1) {
    if (resource.charCodeAt(index) !== prefix.charCodeAt(index)) return false;
  }
  return true;
}

const comparedUnits = 16;
