/** One problem of a policy document. */
export interface PolicyProblem {
  /** Where, for example `Statement[0].Condition.StringEquals`; empty for the document itself. */
  readonly path: string;
  /** What is wrong, in lower case and without a final period. */
  readonly message: string;
}

/** A policy document that is refused, with every problem found in it. */
export class PolicyDocumentError extends Error {
  override readonly name = 'PolicyDocumentError';
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    super(problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '));
    this.problems = problems;
  }
}

/** Reports one problem; the function already knows the path. */
export type Report = (message: string) => void;

/** Returns the report function for one element of a statement; `''` is the statement itself. */
export type ReporterAt = (element: string) => Report;

/** Quotes and truncates an untrusted value of a policy for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

/** True for a text with a lone surrogate, on which matching by code units and by code points differ. */
export function isIllFormed(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
