import type { CompiledStatement } from './compiled-statement.ts';
import { s3ArnHead } from './match-resource.ts';

/** Statements of one policy that could apply to a request, each list in the order of the document. */
export interface Candidates {
  readonly denies: readonly CompiledStatement[];
  readonly allows: readonly CompiledStatement[];
}

/** The statements whose action matches, also narrowed by the bucket of the request. */
interface ActionEntry {
  readonly candidates: Candidates;
  /** By {@link bucketHash}; `undefined` when narrowing by bucket would not pay. */
  readonly byBucket: ReadonlyMap<number, Candidates> | undefined;
  /** The candidates for a bucket that no statement names. */
  readonly elsewhere: Candidates;
  /** Total length of the lists in `byBucket`. */
  readonly listedStatements: number;
}

/** Most actions in the index of one policy; its users perform fewer in practice. */
const maxActions = 64;

/** Bounds the total length of the lists by bucket of one policy, in multiples of its number of statements. */
const maxFullLists = 64;

/** With fewer candidates than this, testing all of them costs no more than finding the list of the bucket. */
const minCandidatesForBuckets = 6;

/**
 * The (action, bucket) → candidates table of one policy. Actions are added as requests arrive; the table starts over when
 * it is full. Buckets are only those that the policy names, so clients cannot make it grow. It leaves out only statements
 * whose action or bucket cannot match, so decisions are the same with and without it.
 */
export class StatementIndex {
  readonly #statements: readonly CompiledStatement[];
  readonly #byAction: Map<string, ActionEntry> = new Map();
  /** Entries by a hash of their statements, because most actions share a few entries. */
  readonly #entries: Map<number, ActionEntry> = new Map();
  #listedStatements = 0;

  constructor(statements: readonly CompiledStatement[]) {
    this.#statements = statements;
  }

  /** Candidates for an action, in any case, on a resource. */
  find(action: string, resource: string): Candidates {
    const entry = this.#byAction.get(action) ?? this.#addAction(action);
    if (entry.byBucket === undefined || !resource.startsWith(s3ArnHead)) return entry.candidates;
    return entry.byBucket.get(bucketHash(resource, s3ArnHead.length)) ?? entry.elsewhere;
  }

  #addAction(action: string): ActionEntry {
    const lowerCaseAction = action.toLowerCase();
    const matching = this.#statements.filter((statement) => statement.matchesAction(lowerCaseAction));
    if (this.#byAction.size >= maxActions) this.#startOver();
    const entry = this.#shared(matching);
    this.#byAction.set(ownCopy(action), entry);
    return entry;
  }

  /** The entry of these statements; the same statements share one object. */
  #shared(matching: readonly CompiledStatement[]): ActionEntry {
    const candidates = splitByEffect(matching);
    const hash = hashOf(matching);
    const known = this.#entries.get(hash);
    if (known !== undefined && isSame(known.candidates, candidates)) return known;
    const entry = makeEntry(
      candidates,
      matching,
      maxFullLists * this.#statements.length - this.#listedStatements,
    );
    this.#listedStatements += entry.listedStatements;
    this.#entries.set(hash, entry);
    return entry;
  }

  #startOver(): void {
    this.#byAction.clear();
    this.#entries.clear();
    this.#listedStatements = 0;
  }
}

/** @param maxListed if the lists by bucket would be longer than this in total, there are none. */
function makeEntry(
  candidates: Candidates,
  matching: readonly CompiledStatement[],
  maxListed: number,
): ActionEntry {
  const whole = { candidates, byBucket: undefined, elsewhere: candidates, listedStatements: 0 };
  if (matching.length < minCandidatesForBuckets) return whole;
  const everywhere = matching.filter(({ buckets }) => buckets === undefined);
  const lists = new Map<number, CompiledStatement[]>();
  let listedStatements = 0;
  for (const hash of matching.flatMap(hashesOf)) {
    if (!lists.has(hash)) listedStatements += everywhere.length;
    lists.set(hash, []);
    listedStatements += 1;
  }
  if (lists.size === 0 || listedStatements > maxListed) return whole;
  for (const statement of matching) {
    const hashes = statement.buckets === undefined ? lists.keys() : hashesOf(statement);
    for (const hash of hashes) lists.get(hash)?.push(statement);
  }
  const byBucket = new Map([...lists].map(([hash, own]) => [hash, splitByEffect(own)]));
  return { candidates, byBucket, elsewhere: splitByEffect(everywhere), listedStatements };
}

function hashesOf({ buckets }: CompiledStatement): number[] {
  return buckets === undefined ? [] : [...new Set([...buckets].map((bucket) => bucketHash(bucket, 0)))];
}

const slash = 0x2f;

/**
 * Hash of a bucket name, read from an ARN in place up to the next slash. Names with the same hash share a list. Only the
 * first 64 code units count; valid names are shorter.
 */
function bucketHash(text: string, start: number): number {
  const stop = Math.min(text.length, start + 64);
  let hash = 0x811c9dc5;
  for (let index = start; index < stop; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === slash) break;
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  // Thirty bits fit V8's small integers, which make the fastest Map keys.
  return hash & 0x3fffffff;
}

/** Statements in two lists, so that denies are tried first. */
export function splitByEffect(statements: readonly CompiledStatement[]): Candidates {
  return {
    denies: statements.filter(({ effect }) => effect === 'Deny'),
    allows: statements.filter(({ effect }) => effect === 'Allow'),
  };
}

/** Copies a string: a slice of a longer string would keep all of it in memory. UTF-16 preserves lone surrogates. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

function hashOf(statements: readonly CompiledStatement[]): number {
  let hash = 0x811c9dc5;
  for (const { reference } of statements) hash = Math.imul(hash ^ reference.index, 0x01000193);
  return hash;
}

function isSame(left: Candidates, right: Candidates): boolean {
  return isSameList(left.denies, right.denies) && isSameList(left.allows, right.allows);
}

function isSameList(left: readonly CompiledStatement[], right: readonly CompiledStatement[]): boolean {
  return left.length === right.length && left.every((statement, index) => statement === right[index]);
}
