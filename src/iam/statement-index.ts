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

/** Actions remembered by one policy: more than its users perform in practice, of the few hundred there are. */
const maxActions = 64;

/** (action, bucket) pairs remembered by one policy; clients choose the buckets. */
const maxBuckets = 1024;

/** Bounds the candidate lists of one policy, together, to this many times the list of all its statements. */
const maxFullLists = 16;

/**
 * With fewer candidates than this, testing them all costs about as much as finding the bucket's list. A session policy
 * cannot hold as many, so that no client makes its own policy remember buckets.
 */
const minCandidatesForBuckets = 48;

const bucketArnHead = 'arn:aws:s3:::';
const maxBucketNameLength = 63;

/**
 * The (action, bucket) → candidates table of one policy, filled as requests arrive. It is bounded and starts over when
 * it is full. It only leaves out statements whose action or bucket cannot match; a decision is the same without it.
 */
export class StatementIndex {
  readonly #statements: readonly CompiledStatement[];
  readonly #byAction: Map<string, ActionEntry> = new Map();
  /** Lists by a hash of their statements: most actions and buckets have the same few. */
  readonly #lists: Map<number, Candidates> = new Map();
  #listedStatements = 0;
  #buckets = 0;

  constructor(statements: readonly CompiledStatement[]) {
    this.#statements = statements;
  }

  /** Candidates for an action, spelled as the caller likes, on a resource. */
  find(action: string, resource: string): Candidates {
    const { candidates, byBucket } = this.#byAction.get(action) ?? this.#addAction(action);
    if (byBucket === undefined || !resource.startsWith(bucketArnHead)) return candidates;
    const slash = resource.indexOf('/', bucketArnHead.length);
    const bucketArn = slash < 0 ? resource : resource.slice(0, slash);
    if (bucketArn.length > bucketArnHead.length + maxBucketNameLength) return candidates;
    return byBucket.get(bucketArn) ?? this.#addBucket(action, bucketArn, candidates);
  }

  #addBucket(action: string, bucketArn: string, candidates: Candidates): Candidates {
    const all = [...candidates.denies, ...candidates.allows];
    const narrowed = this.#shared(all.filter((statement) => statement.mayMatchBucket(bucketArn)));
    if (this.#buckets >= maxBuckets) this.#startOver();
    this.#buckets += 1;
    // The action's entry is gone when the table has just started over; the next request puts it back.
    this.#byAction.get(action)?.byBucket?.set(ownCopy(bucketArn), narrowed);
    return narrowed;
  }

  #addAction(action: string): ActionEntry {
    const lowerCaseAction = action.toLowerCase();
    const matching = this.#statements.filter((statement) => statement.matchesAction(lowerCaseAction));
    const candidates = this.#shared(matching);
    const entry = {
      candidates,
      byBucket: matching.length < minCandidatesForBuckets ? undefined : new Map<string, Candidates>(),
    };
    if (this.#byAction.size >= maxActions) this.#startOver();
    this.#byAction.set(ownCopy(action), entry);
    return entry;
  }

  /** The list of these statements, the same object for the same statements. */
  #shared(statements: readonly CompiledStatement[]): Candidates {
    const candidates = splitByEffect(statements);
    const hash = hashOf(candidates);
    const known = this.#lists.get(hash);
    if (known !== undefined && isSame(known, candidates)) return known;
    if (this.#listedStatements + statements.length > maxFullLists * this.#statements.length)
      this.#startOver();
    this.#listedStatements += statements.length;
    this.#lists.set(hash, candidates);
    return candidates;
  }

  #startOver(): void {
    this.#byAction.clear();
    this.#lists.clear();
    this.#listedStatements = 0;
    this.#buckets = 0;
  }
}

/** Statements in two lists, so that denies are tried first. */
export function splitByEffect(statements: readonly CompiledStatement[]): Candidates {
  return {
    denies: statements.filter(({ effect }) => effect === 'Deny'),
    allows: statements.filter(({ effect }) => effect === 'Allow'),
  };
}

/** A piece of a longer string keeps all of it in memory; a copy keeps only itself. Well-formed or not, it is equal. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

function hashOf({ denies, allows }: Candidates): number {
  let hash = 0x811c9dc5;
  for (const list of [denies, allows]) {
    for (const { reference } of list) hash = Math.imul(hash ^ reference.index, 0x01000193);
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  }
  return hash;
}

function isSame(left: Candidates, right: Candidates): boolean {
  return isSameList(left.denies, right.denies) && isSameList(left.allows, right.allows);
}

function isSameList(left: readonly CompiledStatement[], right: readonly CompiledStatement[]): boolean {
  return left.length === right.length && left.every((statement, index) => statement === right[index]);
}
