import type { Report } from '../problem.ts';
import type { EvaluationScope, Reading } from '../scope.ts';

/** What an operator needs to read the values that a policy gives to one key. */
export interface OperandSource {
  /** The policy's values, coerced to strings; at least one. */
  readonly values: readonly string[];
  /** Version 2012-10-17: `${…}` are variables, in the families that take them. */
  readonly hasVariables: boolean;
}

/**
 * A condition operator without its form (`IfExists`, set operators). Adding one is one file and one row of the
 * table in `index.ts`.
 */
export type ConditionOperator = ComparisonOperator | PresenceOperator;

/** Compares one value of a request; `unreadable` when it is none that the operator compares. */
export type Comparison = (value: string, scope: EvaluationScope) => Reading;

/** An operator that compares the values of a key. */
export interface ComparisonOperator {
  /** AWS's own spelling, for example `StringNotLike`. */
  readonly name: string;
  /** Negated operators mean "matches none of the values" and are true for an absent key. */
  readonly isNegated: boolean;
  /**
   * Compiles the policy's values into the *positive* comparison: does one request value match one of them? Each
   * malformed value is reported; the result is used only when nothing was reported.
   */
  readonly compile: (source: OperandSource, report: Report) => Comparison;
}

/** An operator that asks only whether a key is there; it has no `IfExists` and no set operators. */
export interface PresenceOperator {
  /** AWS's own spelling. */
  readonly name: string;
  /** Compiles the policy's values into a test of the presence of the key; malformed values are reported. */
  readonly compilePresence: (source: OperandSource, report: Report) => (isPresent: boolean) => boolean;
}
