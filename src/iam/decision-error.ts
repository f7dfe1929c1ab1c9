/**
 * Why a decision could not be made: the work it would take exceeds its budget, variables make a pattern too long, or
 * a request value cannot be compared by the operator that tests it.
 */
export type DecisionErrorCode = 'budget-exhausted' | 'substitution-too-long' | 'malformed-value';

/** Thrown while deciding; `decide` turns it into a deny with this error as its fault. The message quotes no value. */
export class DecisionError extends Error {
  override readonly name = 'DecisionError';
  readonly code: DecisionErrorCode;

  constructor(code: DecisionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
