import { splitArnSegments } from '../core/arn.ts';
import type { StepsOfDecision } from './budget.ts';
import type { KeyValue } from './key-table.ts';
import type { AuthorizationQuery } from './query.ts';

/** Outcome of a test; `unknown` when it depends on a key that must be looked up in the store first. */
export type Truth = boolean | 'unknown';

/** {@link Truth}, or `unreadable` when the operator cannot read the value of the request. */
export type Reading = Truth | 'unreadable';

/** Stands for an answer that is not known yet: the test was interrupted, and goes on when it is asked again. */
export const paused: unique symbol = Symbol('paused');

/** The answer of a test that can be interrupted. */
export type Resumable<T> = T | typeof paused;

/** Where a loop was interrupted. */
interface Position {
  /** The item to go on with. */
  readonly index: number;
  /** The result of the items before it. */
  readonly result: Reading;
}

/** Stands for a value that must be looked up in the store first. */
export const waiting: unique symbol = Symbol('waiting');

/** The value of a key in a request; `undefined` when the key is absent. */
export type KeyState = KeyValue | undefined | typeof waiting;

/** The state of one evaluation, shared by all matchers. */
export class EvaluationScope {
  readonly query: AuthorizationQuery;
  /** Counts every comparison whose cost depends on the request. */
  readonly budget: StepsOfDecision;
  #pendingKeys: Set<string> | undefined;
  /** The interrupted loops, the outermost last. */
  #positions: Position[] | undefined;
  #segments: readonly string[] | undefined;
  #foldedTexts: Map<string, string> | undefined;

  constructor(query: AuthorizationQuery, budget: StepsOfDecision) {
    this.query = query;
    this.budget = budget;
  }

  /** The requested ARN, split on its first five colons. */
  get resourceSegments(): readonly string[] {
    this.#segments ??= splitArnSegments(this.query.resource);
    return this.#segments;
  }

  /** Values of variables and what they are folded to: a policy can name one many times, and a request has many values. */
  get foldedTexts(): Map<string, string> {
    this.#foldedTexts ??= new Map();
    return this.#foldedTexts;
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

  /** Remembers where a loop was interrupted. Inner loops come first. */
  stopAt(index: number, result: Reading): void {
    this.#positions ??= [];
    this.#positions.push({ index, result });
  }

  /** Where the next loop was interrupted; `undefined` when it begins. Outer loops come first. */
  resume(): Position | undefined {
    return this.#positions?.pop();
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

/** {@link someTruth}, interrupted after any item when a pause is due. */
export function someResumable<T>(
  items: readonly T[],
  scope: EvaluationScope,
  test: (item: T) => Resumable<Truth>,
): Resumable<Truth>;
export function someResumable<T>(
  items: readonly T[],
  scope: EvaluationScope,
  test: (item: T) => Resumable<Reading>,
): Resumable<Reading>;
export function someResumable<T>(
  items: readonly T[],
  scope: EvaluationScope,
  test: (item: T) => Resumable<Reading>,
): Resumable<Reading> {
  return combine(items, scope, true, test);
}

/** {@link everyTruth}, interrupted after any item when a pause is due. */
export function everyResumable<T>(
  items: readonly T[],
  scope: EvaluationScope,
  test: (item: T) => Resumable<Reading>,
): Resumable<Reading> {
  return combine(items, scope, false, test);
}

/** @param settling the reading of one item that settles the result; without items the result is the opposite. */
function combine<T>(
  items: readonly T[],
  scope: EvaluationScope,
  settling: boolean,
  test: (item: T) => Resumable<Reading>,
): Resumable<Reading> {
  const stopped = scope.resume();
  let result: Reading = stopped?.result ?? !settling;
  for (let index = stopped?.index ?? 0; index < items.length; index += 1) {
    const item = items[index];
    if (item === undefined) break;
    const reading = test(item);
    if (reading === settling) return settling;
    if (reading === paused) {
      scope.stopAt(index, result);
      return paused;
    }
    if (reading === 'unknown' || result === !settling) result = reading;
    if (scope.budget.isPauseDue && index + 1 < items.length) {
      scope.stopAt(index + 1, result);
      return paused;
    }
  }
  return result;
}

/** Negates true and false; leaves unknown, unreadable and paused as they are. */
export function notTruth(truth: Truth): Truth;
export function notTruth(truth: Resumable<Truth>): Resumable<Truth>;
export function notTruth(truth: Resumable<Reading>): Resumable<Reading>;
export function notTruth(truth: Resumable<Reading>): Resumable<Reading> {
  return typeof truth === 'boolean' ? !truth : truth;
}
