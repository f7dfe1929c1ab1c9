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

/** Bounds of the index of one policy. */
export interface IndexBounds {
  /** Most actions; its users perform fewer in practice. */
  readonly maxActions: number;
  /** Bounds the total length of the lists by bucket, in multiples of the number of statements. */
  readonly maxFullLists: number;
}

/** For the policies of the directory, which can have hundreds of statements. */
export const wholeIndex: IndexBounds = { maxActions: 64, maxFullLists: 64 };

/**
 * For session policies: there are thousands, their index can be larger than the policy, and testing all of their few
 * statements takes a microsecond.
 */
export const smallIndex: IndexBounds = { maxActions: 16, maxFullLists: 0 };

/** With fewer candidates than this, testing all of them costs no more than finding the list of the bucket. */
const minCandidatesForBuckets = 6;

/**
 * The (action, bucket) → candidates table of one policy. Actions are added as requests arrive; the table starts over when
 * it is full. Buckets are only those that the policy names, so clients cannot make it grow. It leaves out only statements
 * whose action or bucket cannot match, so decisions are the same with and without it.
 */
export class StatementIndex {
  readonly #statements: readonly CompiledStatement[];
  readonly #bounds: IndexBounds;
  readonly #byAction: Map<string, ActionEntry> = new Map();
  /** Entries by a hash of their statements, because most actions share a few entries. */
  readonly #entries: Map<number, ActionEntry> = new Map();
  #listedStatements = 0;

  constructor(statements: readonly CompiledStatement[], bounds: IndexBounds = wholeIndex) {
    this.#statements = statements;
    this.#bounds = bounds;
  }

  /** Estimates the memory that the index takes at most, in bytes, erring high. */
  get maxBytes(): number {
    const { maxActions, maxFullLists } = this.#bounds;
    const { length } = this.#statements;
    const entries = Math.min(maxActions, 2 ** length);
    // One list of an entry has all statements; with lists by bucket, so can the one of all other buckets.
    const whole = maxFullLists === 0 ? 8 * length : 16 * length + bytesOfList;
    const listed = maxFullLists * length * bytesOfList;
    return maxActions * bytesOfAction + entries * (bytesOfEntry + whole) + listed;
  }

  /** Statements whose action matches, on any resource; the action is in any case. */
  ofAction(action: string): Candidates {
    return this.#entryOf(action).candidates;
  }

  /** Candidates for an action, in any case, on a resource. */
  find(action: string, resource: string): Candidates {
    const entry = this.#entryOf(action);
    if (entry.byBucket === undefined || !resource.startsWith(s3ArnHead)) return entry.candidates;
    return entry.byBucket.get(bucketHash(resource, s3ArnHead.length)) ?? entry.elsewhere;
  }

  #entryOf(action: string): ActionEntry {
    return this.#byAction.get(action) ?? this.#addAction(action);
  }

  #addAction(action: string): ActionEntry {
    const lowerCaseAction = action.toLowerCase();
    const matching = this.#statements.filter((statement) => statement.matchesAction(lowerCaseAction));
    if (this.#byAction.size >= this.#bounds.maxActions) this.#startOver();
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
      this.#bounds.maxFullLists * this.#statements.length - this.#listedStatements,
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
  // A copy takes no more memory than it needs; a list that has grown has room for sixteen more.
  const withEffect = (wanted: CompiledStatement['effect']): readonly CompiledStatement[] =>
    statements.filter(({ effect }) => effect === wanted).slice();
  return { denies: withEffect('Deny'), allows: withEffect('Allow') };
}

/** What an action, an entry without its lists, and a list with one statement take. */
const bytesOfAction = 110;
const bytesOfEntry = 250;
const bytesOfList = 240;

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
