import type { CompiledStatement } from './compiled-statement.ts';
import { s3ArnHead } from './match-resource.ts';

/** Statements of one policy that a request could be touched by, each list in the order of the document. */
export interface Candidates {
  readonly denies: readonly CompiledStatement[];
  readonly allows: readonly CompiledStatement[];
}

/** The statements whose action matches, and what is left of them for the buckets that they name. */
interface ActionEntry {
  readonly candidates: Candidates;
  /** By {@link bucketHash}; `undefined` when a second step would not pay. */
  readonly byBucket: ReadonlyMap<number, Candidates> | undefined;
  /** For every bucket that no statement names. */
  readonly elsewhere: Candidates;
  /** Length of the lists of `byBucket`, all together. */
  readonly listedStatements: number;
}

/** Actions remembered by one policy: more than its users perform in practice, of the few hundred there are. */
const maxActions = 64;

/** Bounds the candidate lists for buckets of one policy, together, to this many times the list of all its statements. */
const maxFullLists = 64;

/** With fewer candidates than this, testing them all costs about as much as finding the bucket's list. */
const minCandidatesForBuckets = 6;

/**
 * The (action, bucket) → candidates table of one policy. Actions are added as requests arrive and buckets are those
 * that the policy names, so that no client makes it grow. It is bounded and starts over when it is full. It only leaves
 * out statements whose action or bucket cannot match; a decision is the same without it.
 */
export class StatementIndex {
  readonly #statements: readonly CompiledStatement[];
  readonly #byAction: Map<string, ActionEntry> = new Map();
  /** Entries by a hash of their statements: most actions have the same few. */
  readonly #entries: Map<number, ActionEntry> = new Map();
  #listedStatements = 0;

  constructor(statements: readonly CompiledStatement[]) {
    this.#statements = statements;
  }

  /** Candidates for an action, spelled as the caller likes, on a resource. */
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

  /** The entry of these statements, the same object for the same statements. */
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

/** @param maxListed when the lists for buckets are longer than this, all together, buckets are not told apart. */
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
 * Hash of a bucket's name, up to the next slash: it is read from the requested ARN in place, and two names that share
 * one share a list. Names have 63 characters at most; what a longer one ends with is left out.
 */
function bucketHash(text: string, start: number): number {
  const stop = Math.min(text.length, start + 64);
  let hash = 0x811c9dc5;
  for (let index = start; index < stop; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === slash) break;
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  // Thirty bits are a small integer everywhere, which a Map finds fastest.
  return hash & 0x3fffffff;
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
