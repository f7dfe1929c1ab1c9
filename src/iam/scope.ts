import { splitArnSegments } from '../core/arn.ts';
import type { StepBudget } from '../core/glob.ts';
import type { AuthorizationQuery } from './query.ts';

/** Outcome of a test; `unknown` when it depends on a key that must be looked up in the store first. */
export type Truth = boolean | 'unknown';

/** State of one evaluation, shared by every matcher that takes part. */
export class EvaluationScope {
  readonly query: AuthorizationQuery;
  /** Pays for every comparison whose cost a request can raise. */
  readonly budget: StepBudget;
  #pendingKeys: Set<string> | undefined;
  #segments: readonly string[] | undefined;

  constructor(query: AuthorizationQuery, budget: StepBudget) {
    this.query = query;
    this.budget = budget;
  }

  /** The requested ARN split on its first five colons, split once. */
  get resourceSegments(): readonly string[] {
    this.#segments ??= splitArnSegments(this.query.resource);
    return this.#segments;
  }

  /** Values of a key in lower case, `undefined` when absent, `unknown` (and noted) when it needs a look-up. */
  lookUp(key: string): readonly string[] | undefined | 'unknown' {
    const { context } = this.query;
    const values = context.values(key);
    if (values !== undefined || !context.isLazy(key)) return values;
    this.#pendingKeys ??= new Set();
    this.#pendingKeys.add(key);
    return 'unknown';
  }

  /** Starts a statement: keys that earlier ones noted are none of its concern. */
  forgetPendingKeys(): void {
    this.#pendingKeys = undefined;
  }

  /** The lazy keys that the statement just evaluated depends on. */
  pendingKeys(): readonly string[] {
    return this.#pendingKeys === undefined ? [] : [...this.#pendingKeys];
  }
}

/** True when one test is true, unknown when none is but one might be. */
export function someTruth<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = false;
  for (const item of items) {
    const truth = test(item);
    if (truth === true) return true;
    if (truth === 'unknown') result = 'unknown';
  }
  return result;
}

/** False when one test is false, unknown when none is but one might be. */
export function everyTruth<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = true;
  for (const item of items) {
    const truth = test(item);
    if (truth === false) return false;
    if (truth === 'unknown') result = 'unknown';
  }
  return result;
}

/** Negation that leaves `unknown` alone. */
export function notTruth(truth: Truth): Truth {
  return truth === 'unknown' ? truth : !truth;
}
