import { splitArnSegments } from '../core/arn.ts';
import type { StepBudget } from '../core/glob.ts';
import type { AuthorizationQuery } from './query.ts';

/** Outcome of a test; `unknown` when it depends on a key that must be looked up in the store first. */
export type Truth = boolean | 'unknown';

/** Stands for what a key has in the store, which must be looked up first. */
export const waiting: unique symbol = Symbol('waiting');

/** One value, a list of them that is not empty, `undefined` when the key is absent. */
export type KeyState = string | readonly string[] | undefined | typeof waiting;

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

  /** What the request has for a key in lower case; a key that needs a look-up is noted. */
  lookUp(key: string): KeyState {
    const { context } = this.query;
    const value = context.value(key);
    if (value !== undefined || !context.isLazy(key)) return value;
    this.#pendingKeys ??= new Set();
    this.#pendingKeys.add(key);
    return waiting;
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
