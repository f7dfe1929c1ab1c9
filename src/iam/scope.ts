import { splitArnSegments } from '../core/arn.ts';
import type { StepBudget } from '../core/glob.ts';
import type { KeyValue } from './key-table.ts';
import type { AuthorizationQuery } from './query.ts';

/** Outcome of a test; `unknown` when it depends on a key that must be looked up in the store first. */
export type Truth = boolean | 'unknown';

/** {@link Truth}, or `unreadable` when the request's value is none that the operator compares. */
export type Reading = Truth | 'unreadable';

/** Stands for what a key has in the store, which must be looked up first. */
export const waiting: unique symbol = Symbol('waiting');

/** What a request has for a key; `undefined` when the key is absent. */
export type KeyState = KeyValue | undefined | typeof waiting;

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

/**
 * True when one test is true, unknown when none is but one might be, unreadable when one is and no other matters: the
 * order of the items never does.
 */
export function someTruth<T>(items: readonly T[], test: (item: T) => Truth): Truth;
export function someTruth<T>(items: readonly T[], test: (item: T) => Reading): Reading;
export function someTruth<T>(items: readonly T[], test: (item: T) => Reading): Reading {
  let result: Reading = false;
  for (const item of items) {
    const reading = test(item);
    if (reading === true) return true;
    if (reading === 'unknown' || result === false) result = reading;
  }
  return result;
}

/** False when one test is false, else as {@link someTruth}. */
export function everyTruth<T>(items: readonly T[], test: (item: T) => Truth): Truth;
export function everyTruth<T>(items: readonly T[], test: (item: T) => Reading): Reading;
export function everyTruth<T>(items: readonly T[], test: (item: T) => Reading): Reading {
  let result: Reading = true;
  for (const item of items) {
    const reading = test(item);
    if (reading === false) return false;
    if (reading === 'unknown' || result === true) result = reading;
  }
  return result;
}

/** Negation that leaves what is neither true nor false alone. */
export function notTruth(truth: Truth): Truth;
export function notTruth(truth: Reading): Reading;
export function notTruth(truth: Reading): Reading {
  return typeof truth === 'boolean' ? !truth : truth;
}
