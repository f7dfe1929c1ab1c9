import type { CompiledPolicy, CompiledStatement, StatementReference } from './compile.ts';
import type { PrincipalLevel } from './match-principal.ts';
import type { AuthorizationQuery } from './query.ts';
import { EvaluationScope, everyTruth, type Truth } from './scope.ts';
import type { Candidates } from './statement-index.ts';

export type { StatementReference } from './compile.ts';
export type { PrincipalLevel } from './match-principal.ts';
export type { AuthorizationQuery, PolicyPrincipal } from './query.ts';

/** What one set of policies says. Within a set the policies are united: any deny wins, then any allow. */
export type SetResult =
  | { readonly effect: 'deny'; readonly statement: StatementReference }
  | {
      readonly effect: 'allow';
      readonly statement: StatementReference;
      /** The closest level at which a bucket or trust policy allows; `undefined` for policies without Principal. */
      readonly level: PrincipalLevel | undefined;
    }
  | { readonly effect: 'none' }
  | {
      readonly effect: 'needs';
      /** Lazy keys, in lower case and sorted, that must be looked up before the set can answer. */
      readonly keys: readonly string[];
    };

/** Finds the statements of a policy to test; the property tests also evaluate without the index. */
export type CandidateFinder = (policy: CompiledPolicy, query: AuthorizationQuery) => Candidates;

const findIndexed: CandidateFinder = (policy, { action, resource }) => policy.index.find(action, resource);

const levelRank: Readonly<Record<PrincipalLevel, number>> = { none: 0, account: 1, entity: 2, direct: 3 };

/** Rank of an allow without Principal: nothing can be closer. */
const highestRank = levelRank.direct;

/**
 * Evaluates one set. `needs` is answered only when a statement that already matches principal, action and resource
 * depends on a lazy key and the answer depends on that statement.
 */
export function evaluatePolicies(
  policies: readonly CompiledPolicy[],
  query: AuthorizationQuery,
  findCandidates: CandidateFinder = findIndexed,
): SetResult {
  const scope = new EvaluationScope(query);
  const undecidedDenyKeys: string[] = [];
  const undecidedAllows: UndecidedAllow[] = [];
  let best: { statement: CompiledStatement; level: PrincipalLevel | undefined; rank: number } | undefined;
  for (const policy of policies) {
    const { denies, allows } = findCandidates(policy, query);
    for (const statement of denies) {
      const truth = applies(statement, scope);
      if (truth === true) return { effect: 'deny', statement: statement.reference };
      if (truth === 'unknown') undecidedDenyKeys.push(...scope.pendingKeys);
    }
    for (const statement of allows) {
      if (best?.rank === highestRank) break;
      const level = statement.principalLevel?.(query.principal);
      const rank = level === undefined ? highestRank : levelRank[level];
      if (best !== undefined && rank <= best.rank) continue;
      const truth = applies(statement, scope);
      if (truth === true) best = { statement, level, rank };
      if (truth === 'unknown') undecidedAllows.push({ rank, keys: [...scope.pendingKeys] });
    }
  }
  // A deny that needs a look-up keeps even a set without any allow open: audit mode relaxes a missing allow only.
  const keys = new Set(undecidedDenyKeys);
  for (const undecided of undecidedAllows) {
    if (best === undefined || undecided.rank > best.rank) for (const key of undecided.keys) keys.add(key);
  }
  if (keys.size > 0) return { effect: 'needs', keys: [...keys].sort() };
  if (best === undefined) return { effect: 'none' };
  return { effect: 'allow', statement: best.statement.reference, level: best.level };
}

interface UndecidedAllow {
  readonly rank: number;
  readonly keys: readonly string[];
}

/** Tells whether a statement whose action matches applies; fills the scope's pending keys when unknown. */
function applies(statement: CompiledStatement, scope: EvaluationScope): Truth {
  if (statement.principalLevel?.(scope.query.principal) === 'none') return false;
  if (scope.pendingKeys.size > 0) scope.pendingKeys.clear();
  const matchesResource = statement.matchesResource(scope);
  if (matchesResource === false) return false;
  const { conditions } = statement;
  if (conditions.length === 0) return matchesResource;
  const holds = everyTruth(conditions, (holdsFor) => holdsFor(scope));
  return holds === true ? matchesResource : holds;
}
