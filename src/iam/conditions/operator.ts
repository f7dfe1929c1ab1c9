import type { Report } from '../problem.ts';
import type { EvaluationScope, Reading, Resumable } from '../scope.ts';

/** The values that a policy gives to one key, and how to read them. */
export interface OperandSource {
  /** The policy's values, coerced to strings; at least one. */
  readonly values: readonly string[];
  /** True for version 2012-10-17: `${…}` is a variable, in the operator families that take variables. */
  readonly hasVariables: boolean;
}

/**
 * A condition operator without its form (`IfExists`, set operators). To add one, write one file and one row of the table
 * in `index.ts`.
 */
export type ConditionOperator = ComparisonOperator | PresenceOperator;

/** Compares one value of a request; `unreadable` when the operator cannot read it. */
export type Comparison = (value: string, scope: EvaluationScope) => Resumable<Reading>;

/** An operator that compares the values of a key. */
export interface ComparisonOperator {
  /** AWS's own spelling, for example `StringNotLike`. */
  readonly name: string;
  /** Negated operators mean "matches none of the values" and are true for an absent key. */
  readonly isNegated: boolean;
  /**
   * Compiles the policy's values into the *positive* comparison: does a request value match one of them? Reports malformed
   * values; use the result only when there are none.
   */
  readonly compile: (source: OperandSource, report: Report) => Comparison;
}

/** An operator that tests only the presence of a key; it takes neither `IfExists` nor set operators. */
export interface PresenceOperator {
  /** AWS's own spelling. */
  readonly name: string;
  /** Compiles the policy's values into a test of the presence of the key; malformed values are reported. */
  readonly compilePresence: (source: OperandSource, report: Report) => (isPresent: boolean) => boolean;
}
