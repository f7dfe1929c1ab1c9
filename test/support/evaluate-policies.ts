import { DecisionBudget } from '../../src/iam/budget.ts';
import type { CompiledPolicy } from '../../src/iam/compile.ts';
import {
  type AuthorizationQuery,
  type CandidateFinder,
  SetEvaluation,
  type SetResult,
} from '../../src/iam/evaluate.ts';

/** Evaluates one set without pauses. */
export function evaluatePolicies(
  policies: readonly CompiledPolicy[],
  query: AuthorizationQuery,
  findCandidates?: CandidateFinder,
): SetResult {
  const evaluation = new SetEvaluation(query, new DecisionBudget().begin());
  for (const policy of policies) if (evaluation.add(policy, findCandidates) === true) break;
  return evaluation.result();
}
