/** The reason why a decision could not be made: it exceeds its step budget, or the requested resource is not an ARN. */
export type DecisionFaultCode = 'budget-exhausted' | 'malformed-value';

/** Thrown while deciding; `decide` turns it into a deny with this error as its fault. The message quotes no value. */
export class DecisionFault extends Error {
  override readonly name = 'DecisionFault';
  readonly code: DecisionFaultCode;

  constructor(code: DecisionFaultCode, message: string) {
    super(message);
    this.code = code;
  }
}
