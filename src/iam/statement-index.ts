import type { CompiledStatement } from './compiled-statement.ts';

/** Statements of one policy that a request could be touched by. */
export interface Candidates {
  readonly denies: readonly CompiledStatement[];
  readonly allows: readonly CompiledStatement[];
}

interface ActionEntry {
  readonly candidates: Candidates;
  /** `undefined` when there are too few candidates for a second step to pay. */
  readonly byBucket: Map<string, Candidates> | undefined;
}

/** Actions come from tables of a few hundred names; more than this means that something feeds us invented ones. */
const maxActions = 512;

/** Buckets remembered per action; clients choose these names, so the table starts over when it is full. */
const maxBucketsPerAction = 256;

/** With fewer candidates than this, testing them all costs less than finding the bucket's list. */
const minCandidatesForBuckets = 6;

const bucketArnHead = 'arn:aws:s3:::';

/**
 * The (action, bucket) → candidates table of one policy, filled as requests arrive and bounded. It only leaves out
 * statements whose action or bucket cannot match; a decision is the same without it.
 */
export class StatementIndex {
  readonly #statements: readonly CompiledStatement[];
  readonly #byAction: Map<string, ActionEntry> = new Map();

  constructor(statements: readonly CompiledStatement[]) {
    this.#statements = statements;
  }

  /** Candidates for an action, spelled as the caller likes, on a resource. */
  find(action: string, resource: string): Candidates {
    const { candidates, byBucket } = this.#byAction.get(action) ?? this.#addAction(action);
    if (byBucket === undefined || !resource.startsWith(bucketArnHead)) return candidates;
    const slash = resource.indexOf('/', bucketArnHead.length);
    const bucketArn = slash < 0 ? resource : resource.slice(0, slash);
    const known = byBucket.get(bucketArn);
    if (known !== undefined) return known;
    if (byBucket.size >= maxBucketsPerAction) byBucket.clear();
    const narrowed = {
      denies: candidates.denies.filter((statement) => statement.mayMatchBucket(bucketArn)),
      allows: candidates.allows.filter((statement) => statement.mayMatchBucket(bucketArn)),
    };
    byBucket.set(bucketArn, narrowed);
    return narrowed;
  }

  #addAction(action: string): ActionEntry {
    const lowerCaseAction = action.toLowerCase();
    const matching = this.#statements.filter((statement) => statement.matchesAction(lowerCaseAction));
    const candidates = splitByEffect(matching);
    const entry = {
      candidates,
      byBucket: matching.length < minCandidatesForBuckets ? undefined : new Map<string, Candidates>(),
    };
    if (this.#byAction.size >= maxActions) this.#byAction.clear();
    this.#byAction.set(action, entry);
    return entry;
  }
}

/** Statements in two lists, so that denies are tried first. */
export function splitByEffect(statements: readonly CompiledStatement[]): Candidates {
  return {
    denies: statements.filter(({ effect }) => effect === 'Deny'),
    allows: statements.filter(({ effect }) => effect === 'Allow'),
  };
}
