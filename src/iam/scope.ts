import { splitArnSegments } from '../core/arn.ts';
import type { StepBudget } from '../core/glob.ts';
import type { KeyValue } from './key-table.ts';
import type { AuthorizationQuery } from './query.ts';

/** Outcome of a test; `unknown` when it depends on a key that must be looked up in the store first. */
export type Truth = boolean | 'unknown';

/** {@link Truth}, or `unreadable` when the operator cannot read the value of the request. */
export type Reading = Truth | 'unreadable';

/** Stands for a value that must be looked up in the store first. */
export const waiting: unique symbol = Symbol('waiting');

/** The value of a key in a request; `undefined` when the key is absent. */
export type KeyState = KeyValue | undefined | typeof waiting;

/** The state of one evaluation, shared by all matchers. */
export class EvaluationScope {
  readonly query: AuthorizationQuery;
  /** Counts every comparison whose cost depends on the request. */
  readonly budget: StepBudget;
  #pendingKeys: Set<string> | undefined;
  #segments: readonly string[] | undefined;

  constructor(query: AuthorizationQuery, budget: StepBudget) {
    this.query = query;
    this.budget = budget;
  }

  /** The requested ARN, split on its first five colons. */
  get resourceSegments(): readonly string[] {
    this.#segments ??= splitArnSegments(this.query.resource);
    return this.#segments;
  }

  /** The value of a key in lower case. Records a key that needs a look-up. */
  lookUp(key: string): KeyState {
    const { context } = this.query;
    const value = context.value(key);
    if (value !== undefined || !context.isLazy(key)) return value;
    this.#pendingKeys ??= new Set();
    this.#pendingKeys.add(key);
    return waiting;
  }

  /** Starts a statement: clears the keys that the previous one recorded. */
  forgetPendingKeys(): void {
    this.#pendingKeys = undefined;
  }

  /** The lazy keys that the last statement depends on. */
  pendingKeys(): readonly string[] {
    return this.#pendingKeys === undefined ? [] : [...this.#pendingKeys];
  }
}

/**
 * A logical or that does not depend on the order of the items: true if any test is true, else unknown if any is unknown,
 * else unreadable if any is unreadable, else false.
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

/** A logical and that does not depend on the order: false if any test is false, else unknown, unreadable or true. */
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

/** Negates true and false; leaves unknown and unreadable as they are. */
export function notTruth(truth: Truth): Truth;
export function notTruth(truth: Reading): Reading;
export function notTruth(truth: Reading): Reading {
  return typeof truth === 'boolean' ? !truth : truth;
}
