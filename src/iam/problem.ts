/** One thing wrong in a policy document. */
export interface PolicyProblem {
  /** Where, for example `Statement[0].Condition.StringEquals`; empty for the document itself. */
  readonly path: string;
  /** What, lowercase and without a final period. */
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

/** Receives the message of one problem; the path is known to whoever made the function. */
export type Report = (message: string) => void;

/** Makes the report function of one element of a statement; `''` is the statement itself. */
export type ReporterAt = (element: string) => Report;

/** Quotes a value of a policy for a message, shortened: policy text is not trusted. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

/** An object of a document that has not been checked yet. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Narrows to an object that is neither null nor an array. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when a text holds half a character: matching by code units and by code points would differ on it. */
export function isIllFormed(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
