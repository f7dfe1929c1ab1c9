import type { StepBudget } from '../core/glob.ts';
import { DecisionBudget } from './budget.ts';
import type { CompiledPolicy, CompiledStatement, StatementReference } from './compile.ts';
import type { PrincipalLevel } from './match-principal.ts';
import type { AuthorizationQuery } from './query.ts';
import { EvaluationScope, type Reading, type Truth } from './scope.ts';
import type { Candidates } from './statement-index.ts';

export type { StatementReference } from './compile.ts';
export type { PrincipalLevel } from './match-principal.ts';
export type { AuthorizationQuery, PolicyPrincipal } from './query.ts';

/** The result of one set of policies: a deny if any statement denies, else an allow if any allows, else `none`. */
export type SetResult =
  | { readonly effect: 'deny'; readonly statement: StatementReference; readonly pending?: undefined }
  | {
      readonly effect: 'allow';
      readonly statement: StatementReference;
      /** The closest level at which a bucket or trust policy allows; `undefined` for policies without Principal. */
      readonly level: PrincipalLevel | undefined;
      readonly pending?: Pending | undefined;
    }
  | { readonly effect: 'none'; readonly pending?: Pending | undefined };

/** What a look-up could add to the result of a set. Keys are in lower case. */
export interface Pending {
  /** Keys of Deny statements. */
  readonly denyKeys: readonly string[];
  /** Keys of Allow statements that name the caller more closely than any that applies already. */
  readonly allowKeys: readonly string[];
  /** The closest level of those Allow statements; `undefined` for policies without Principal, and without `allowKeys`. */
  readonly allowLevel: PrincipalLevel | undefined;
}

/** Selects the statements of a policy to test; a parameter so that tests can evaluate without the index. */
export type CandidateFinder = (policy: CompiledPolicy, query: AuthorizationQuery) => Candidates;

const findIndexed: CandidateFinder = (policy, { action, resource }) => policy.index.find(action, resource);

/** An Allow without Principal ranks as `direct`, the closest level. */
const levelRank: Readonly<Record<PrincipalLevel, number>> = { none: 0, account: 1, entity: 2, direct: 3 };

/** Evaluates a set policy by policy, so that a long set can be evaluated with pauses. */
export class SetEvaluation {
  readonly #query: AuthorizationQuery;
  readonly #scope: EvaluationScope;
  #denying: StatementReference | undefined;
  #undecided: Undecided[] | undefined;
  #best: GrantingStatement | undefined;

  constructor(query: AuthorizationQuery, budget: StepBudget) {
    this.#query = query;
    this.#scope = new EvaluationScope(query, budget);
  }

  /**
   * Adds a policy of the set. Returns true when it denies, which no further policy can change.
   * @throws DecisionError when the budget is used up or the resource is no ARN.
   */
  add(policy: CompiledPolicy, findCandidates: CandidateFinder = findIndexed): boolean {
    const { denies, allows } = findCandidates(policy, this.#query);
    this.#scope.budget.spend((denies.length + allows.length) * stepsPerStatement);
    return this.#addDenies(denies) || (this.#query.isDenyOnly !== true && this.#addAllows(allows));
  }

  /** The result of the policies added so far. */
  result(): SetResult {
    if (this.#denying !== undefined) return { effect: 'deny', statement: this.#denying };
    const best = this.#best;
    const pending = this.#undecided && pendingOf(this.#undecided, best?.rank ?? 0);
    if (best === undefined) return pending === undefined ? noneResult : { effect: 'none', pending };
    const { reference: statement, level } = best;
    return pending === undefined
      ? { effect: 'allow', statement, level }
      : { effect: 'allow', statement, level, pending };
  }

  #addDenies(denies: readonly CompiledStatement[]): boolean {
    for (const statement of denies) {
      if (this.#query.isDenyOnly === true && statement.excludesResources) continue;
      if (!mayHavePrefix(this.#query.resource, statement.resourcePrefix)) continue;
      const truth = appliesBeyondPrefix(statement, this.#scope);
      if (truth === true) {
        this.#denying = statement.reference;
        return true;
      }
      if (truth === 'unknown') this.#note({ isDeny: true });
    }
    return false;
  }

  #addAllows(allows: readonly CompiledStatement[]): false {
    for (const statement of allows) {
      if (!mayHavePrefix(this.#query.resource, statement.resourcePrefix)) continue;
      if (this.#best?.rank === levelRank.direct) break;
      const level = statement.principalLevel?.(this.#query.principal);
      const rank = level === undefined ? levelRank.direct : levelRank[level];
      if (this.#best !== undefined && rank <= this.#best.rank) continue;
      const truth = appliesBeyondPrefix(statement, this.#scope);
      if (truth === true) this.#best = { reference: statement.reference, level, rank };
      if (truth === 'unknown') this.#note({ isDeny: false, rank, level });
    }
    return false;
  }

  #note(statement: WaitingStatement): void {
    this.#undecided ??= [];
    this.#undecided.push({ ...statement, keys: this.#scope.pendingKeys() });
  }
}

/**
 * Evaluates one set. A statement is pending only when it matches principal, action and resource, as far as these are
 * known, and depends on a lazy key.
 * @throws DecisionError when the budget is used up or the resource is no ARN.
 */
export function evaluatePolicies(
  policies: readonly CompiledPolicy[],
  query: AuthorizationQuery,
  budget: StepBudget = (query.budget ?? new DecisionBudget()).begin(0),
  findCandidates: CandidateFinder = findIndexed,
): SetResult {
  const evaluation = new SetEvaluation(query, budget);
  for (const policy of policies) {
    if (evaluation.add(policy, findCandidates)) break;
  }
  return evaluation.result();
}

/** Cost of rejecting a statement that does not match, in comparisons. */
const stepsPerStatement = 8;

const noneResult: SetResult = { effect: 'none' };

interface GrantingStatement {
  readonly reference: StatementReference;
  readonly level: PrincipalLevel | undefined;
  readonly rank: number;
}

/** A statement that may apply. */
type WaitingStatement =
  | { readonly isDeny: true }
  | { readonly isDeny: false; readonly rank: number; readonly level: PrincipalLevel | undefined };

/** A statement that may apply, with the lazy keys that decide it. */
type Undecided = WaitingStatement & { readonly keys: readonly string[] };

function pendingOf(undecided: readonly Undecided[], bestRank: number): Pending | undefined {
  const denyKeys: string[] = [];
  const allowKeys: string[] = [];
  let [closest, allowLevel]: [number, PrincipalLevel | undefined] = [bestRank, undefined];
  for (const statement of undecided) {
    if (statement.isDeny) denyKeys.push(...statement.keys);
    else if (statement.rank > bestRank) {
      allowKeys.push(...statement.keys);
      if (statement.rank > closest) [closest, allowLevel] = [statement.rank, statement.level];
    }
  }
  return denyKeys.length + allowKeys.length === 0 ? undefined : { denyKeys, allowKeys, allowLevel };
}

/**
 * Tests a statement whose action matches. When the answer is unknown, the scope holds the keys it depends on.
 * @throws DecisionError when the budget is used up or the resource is no ARN.
 */
export function statementApplies(statement: CompiledStatement, scope: EvaluationScope): Truth {
  return (
    mayHavePrefix(scope.query.resource, statement.resourcePrefix) && appliesBeyondPrefix(statement, scope)
  );
}

function appliesBeyondPrefix(statement: CompiledStatement, scope: EvaluationScope): Truth {
  if (statement.principalLevel?.(scope.query.principal) === 'none') return false;
  scope.forgetPendingKeys();
  const matchesResource = statement.matchesResource(scope);
  if (matchesResource === false || statement.conditions.length === 0) return matchesResource;
  const holds = conditionsHold(statement, scope);
  return holds === true ? matchesResource : holds;
}

/**
 * Tests all conditions of a statement. When the outcome depends on a value that its operator cannot read, an Allow does not
 * apply and a Deny does. Callers choose some of these values: a malformed one must neither grant anything nor fail the whole
 * decision.
 */
export function conditionsHold({ conditions, effect }: CompiledStatement, scope: EvaluationScope): Truth {
  let all: Reading = true;
  for (const holds of conditions) {
    const reading = holds(scope);
    if (reading === false) return false;
    if (reading === 'unknown' || all === true) all = reading;
  }
  return all === 'unreadable' ? effect === 'Deny' : all;
}

/**
 * A quick pre-check that compares the last code units of the prefix, where ARNs differ most: the bucket name. A resource
 * that passes is matched in full afterwards.
 */
function mayHavePrefix(resource: string, prefix: string): boolean {
  const stop = Math.max(0, prefix.length - comparedUnits);
  for (let index = prefix.length - 1; index >= stop; index -= 1) {
    if (resource.charCodeAt(index) !== prefix.charCodeAt(index)) return false;
  }
  return true;
}

const comparedUnits = 16;
