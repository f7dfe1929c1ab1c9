import { DecisionBudget } from './budget.ts';
import type { CompiledStatement } from './compile.ts';
import { DecisionFault } from './decision-fault.ts';
import type { AuthorizationQuery, PrincipalLevel, StatementReference } from './evaluate.ts';
import { type PolicySets, type PolicyType, policyTypes, withBoundary } from './policy-sets.ts';
import { EvaluationScope } from './scope.ts';
import { statementApplies } from './statement-applies.ts';
import { withVariables } from './variables.ts';

/** One statement that applies to a query. */
export interface StatementMatch {
  /** The set that the statement belongs to. */
  readonly policyType: PolicyType;
  readonly effect: 'Allow' | 'Deny';
  readonly statement: StatementReference;
  /** How closely the statement names the caller; `undefined` in policies without Principal. */
  readonly level: PrincipalLevel | undefined;
}

/** A statement that applies to a query, or does in some contexts. */
export interface PossibleMatch {
  readonly policyType: PolicyType;
  readonly statement: CompiledStatement;
  readonly level: PrincipalLevel | undefined;
  /** False when it depends on keys that the context does not tell. */
  readonly isCertain: boolean;
  /** Of Resource or NotResource alone. */
  readonly isResourceCertain: boolean;
  /** A value of the statement with what the context tells in place of its variables. */
  readonly read: (text: string) => string;
}

/**
 * Every statement of every set that applies to a query, to explain a decision. The order is identity, boundary, session,
 * scope-down, resource, and within a set the order of its documents. Unlike `decide` it does not stop at the statement that settles the
 * answer. It leaves out statements that depend on a look-up or cannot be decided; for those, `decide` answers `needs` or
 * reports the fault.
 */
export function matchingStatements(sets: PolicySets, asked: AuthorizationQuery): readonly StatementMatch[] {
  return possibleStatements(sets, asked)
    .filter(({ isCertain }) => isCertain)
    .map(({ policyType, statement: { effect, reference }, level }) => ({
      policyType,
      effect,
      statement: reference,
      level,
    }));
}

/** {@link matchingStatements} with those that depend on keys which the context does not tell, or cannot be decided. */
export function possibleStatements(sets: PolicySets, asked: AuthorizationQuery): readonly PossibleMatch[] {
  const query = withBoundary(sets, asked);
  const { budget = new DecisionBudget() } = query;
  const scope = new EvaluationScope(query, budget.begin());
  const action = query.action.toLowerCase();
  const matches: PossibleMatch[] = [];
  for (const policyType of policyTypes) {
    for (const { statements, characters, hasVariables } of sets[policyType] ?? []) {
      scope.budget.startPolicy(characters);
      const read = (text: string): string =>
        hasVariables ? unlessFault(() => withVariables(text, scope), text) : text;
      for (const statement of statements) {
        if (!statement.matchesAction(action)) continue;
        const applies = unlessFault(() => statementApplies(statement, scope), 'unknown');
        if (applies === false) continue;
        const level = statement.principalLevel?.(query.principal);
        const isCertain = applies === true;
        const isResourceCertain =
          isCertain || unlessFault(() => statement.matchesResource(scope), 'unknown') === true;
        matches.push({ policyType, statement, level, isCertain, isResourceCertain, read });
      }
    }
  }
  return matches;
}

/** Runs a test, which cannot always be decided. */
function unlessFault<T>(test: () => T, otherwise: T): T {
  try {
    return test();
  } catch (error) {
    if (error instanceof DecisionFault) return otherwise;
    throw error;
  }
}
