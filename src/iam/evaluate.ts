import type { StepsOfDecision } from './budget.ts';
import type { CompiledPolicy, CompiledStatement, StatementReference } from './compile.ts';
import type { PrincipalLevel } from './match-principal.ts';
import type { AuthorizationQuery } from './query.ts';
import { EvaluationScope, paused, type Resumable } from './scope.ts';
import { appliesBeyondPrefix, mayHavePrefix } from './statement-applies.ts';
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

/**
 * Evaluates a set policy by policy, with pauses where its budget asks for them. A statement is pending only when it matches principal,
 * action and resource, as far as these are known, and depends on a lazy key.
 */
export class SetEvaluation {
  readonly #query: AuthorizationQuery;
  readonly #scope: EvaluationScope;
  #denying: StatementReference | undefined;
  #undecided: Undecided[] | undefined;
  #best: GrantingStatement | undefined;
  /** The statements of a policy that was interrupted. */
  #interrupted: Candidates | undefined;
  /** The Deny and the Allow to test next. */
  #nextDeny = 0;
  #nextAllow = 0;

  constructor(query: AuthorizationQuery, budget: StepsOfDecision) {
    this.#query = query;
    this.#scope = new EvaluationScope(query, budget);
  }

  /**
   * Adds a policy of the set. Returns true when it denies, which no further policy can change, and `paused` when it was
   * interrupted: adding the same policy again goes on.
   * @throws DecisionFault when the budget is used up or the resource is no ARN.
   */
  add(policy: CompiledPolicy, findCandidates: CandidateFinder = findIndexed): Resumable<boolean> {
    const candidates = this.#interrupted ?? this.#start(policy, findCandidates);
    const outcome =
      this.#addDenies(candidates.denies) ||
      (this.#query.isDenyOnly !== true && this.#addAllows(candidates.allows));
    this.#interrupted = outcome === paused ? candidates : undefined;
    return outcome;
  }

  #start(policy: CompiledPolicy, findCandidates: CandidateFinder): Candidates {
    const { budget } = this.#scope;
    budget.startPolicy(policy.characters);
    const candidates = findCandidates(policy, this.#query);
    budget.spend((candidates.denies.length + candidates.allows.length) * stepsPerStatement);
    this.#nextDeny = 0;
    this.#nextAllow = 0;
    return candidates;
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

  #addDenies(denies: readonly CompiledStatement[]): Resumable<boolean> {
    for (let index = this.#nextDeny; index < denies.length; index += 1) {
      const statement = denies[index];
      if (statement === undefined || (this.#query.isDenyOnly === true && statement.excludesResources))
        continue;
      if (!mayHavePrefix(this.#query.resource, statement.resourcePrefix)) continue;
      const truth = appliesBeyondPrefix(statement, this.#scope);
      if (truth === true) {
        this.#denying = statement.reference;
        return true;
      }
      if (truth === 'unknown') this.#note({ isDeny: true });
      if (truth === paused || this.#scope.budget.isPauseDue) {
        this.#nextDeny = truth === paused ? index : index + 1;
        return paused;
      }
    }
    this.#nextDeny = denies.length;
    return false;
  }

  #addAllows(allows: readonly CompiledStatement[]): Resumable<false> {
    for (let index = this.#nextAllow; index < allows.length; index += 1) {
      const statement = allows[index];
      if (statement === undefined || !mayHavePrefix(this.#query.resource, statement.resourcePrefix)) continue;
      if (this.#best?.rank === levelRank.direct) break;
      const level = statement.principalLevel?.(this.#query.principal);
      const rank = level === undefined ? levelRank.direct : levelRank[level];
      if (this.#best !== undefined && rank <= this.#best.rank) continue;
      const truth = appliesBeyondPrefix(statement, this.#scope);
      if (truth === true) this.#best = { reference: statement.reference, level, rank };
      if (truth === 'unknown') this.#note({ isDeny: false, rank, level });
      if (truth === paused || this.#scope.budget.isPauseDue) {
        this.#nextAllow = truth === paused ? index : index + 1;
        return paused;
      }
    }
    return false;
  }

  #note(statement: WaitingStatement): void {
    this.#undecided ??= [];
    this.#undecided.push({ ...statement, keys: this.#scope.pendingKeys() });
  }
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
