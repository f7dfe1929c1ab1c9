import type { Clock } from '../core/clock.ts';
import { longestSessionSeconds } from '../core/iam-names.ts';
import { JsonError, parseJson } from '../core/json.ts';
import type { Randomness } from '../core/randomness.ts';
import type { ReplicatedRecords } from '../state/replicated-records.ts';
import { RevocationIndex } from './revocation-index.ts';
import type { Revocation, RevocationNames } from './revocation-names.ts';
import { parseRevocationRecord, type RevocationProblem, type RevocationRecord } from './revocation-record.ts';

/** A revocation that was added while the sidecar ran. */
export interface RunTimeRevocation {
  readonly id: string;
  readonly record: RevocationRecord;
  /** Milliseconds since the Unix epoch. */
  readonly addedAtMs: number;
}

/** The outcome of adding one. */
export type AddedRevocation =
  | {
      readonly outcome: 'added';
      readonly revocation: RunTimeRevocation;
      /** A warning for the operator. */
      readonly doubt: string | undefined;
    }
  | { readonly outcome: 'invalid'; readonly problems: readonly RevocationProblem[] }
  | { readonly outcome: 'too_many' };

interface StoredRevocation extends RunTimeRevocation {
  readonly keys: readonly string[];
}

/** Compiled from one state of the records. */
interface Compiled {
  readonly source: ReadonlyMap<string, string>;
  /** Each record, parsed; `undefined` for one that cannot be read. */
  readonly stored: ReadonlyMap<
    string,
    { readonly text: string; readonly revocation: StoredRevocation | undefined }
  >;
  /** `undefined` when a record cannot be read, since it could apply to any session. */
  readonly index: RevocationIndex | undefined;
}

const formatVersion = 1;
const idBytes = 12;
const maxRecordBytes = 16_384;
/**
 * Until a new revocation has reached them, other replicas may issue sessions that it should revoke. This is the longest time
 * of writing it, and the largest difference between clocks.
 */
const spreadingMs = 2_000;
/**
 * The longest session. A revocation is useless once every session it applies to has expired. Sessions that descend from others are
 * among them, and the last of those may have been issued right before it was added.
 */
const longestSessionMs = longestSessionSeconds * 1000;

/** The revocations that operators add at run time; those of all replicas if they share their state. */
export class RunTimeRevocations {
  readonly #records: ReplicatedRecords;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  #compiled: Compiled = { source: new Map(), stored: new Map(), index: new RevocationIndex([]) };

  constructor(records: ReplicatedRecords, clock: Clock, randomness: Randomness) {
    this.#records = records;
    this.#clock = clock;
    this.#randomness = randomness;
  }

  /** True when revocations apply on all replicas; otherwise on this one, until its process ends. */
  get isShared(): boolean {
    return this.#records.isShared;
  }

  /** The index of the current records; `undefined` when a record cannot be read. */
  get index(): RevocationIndex | undefined {
    return this.#current().index;
  }

  /**
   * Reads the current revocations of all replicas.
   * @throws StateError
   */
  learn(): Promise<void> {
    return this.#records.learn();
  }

  /** True while the last refresh is within the staleness limit. */
  isFresh(): boolean {
    return this.#records.isFresh();
  }

  /** Those that can be read, oldest first. */
  list(): readonly RunTimeRevocation[] {
    const all = [...this.#current().stored.values()].flatMap(({ revocation }) => revocation ?? []);
    return all.sort((left, right) => left.addedAtMs - right.addedAtMs);
  }

  /** The ids of unreadable records. While there are any, all sessions are refused. */
  listUnreadable(): readonly string[] {
    return [...this.#current().stored].flatMap(([id, { revocation }]) =>
      revocation === undefined ? id : [],
    );
  }

  /**
   * Adds a revocation from a request body. Without a time it applies to the sessions issued until it has reached all
   * replicas, so later ones work. One that names a session by its id needs no time.
   * @throws StateError when the shared state is not available
   */
  async add(source: unknown, names: RevocationNames): Promise<AddedRevocation> {
    const parsed = parseRevocationRecord(source);
    if ('problems' in parsed) return { outcome: 'invalid', problems: parsed.problems };
    const addedAtMs = this.#clock.now();
    const { selector, issuedBeforeMs = this.#defaultTime(selector, addedAtMs) } = parsed.record;
    const record = { selector, issuedBeforeMs };
    const resolved = names.resolve(record);
    if ('message' in resolved) return { outcome: 'invalid', problems: [resolved] };
    const id = Buffer.from(this.#randomness.bytes(idBytes)).toString('base64url');
    const text = writeStored({ id, record, addedAtMs, keys: resolved.keys });
    // An unreadable record would refuse all sessions.
    if (readStored(id, text) === undefined) {
      return { outcome: 'invalid', problems: [{ key: selector?.kind, message: 'is too long' }] };
    }
    await this.#removeUseless(addedAtMs);
    if (!(await this.#records.put(id, text))) return { outcome: 'too_many' };
    const doubt = resolved.doubt?.message;
    return { outcome: 'added', revocation: { id, record, addedAtMs }, doubt };
  }

  /**
   * Returns false when no revocation has this id.
   * @throws StateError
   */
  remove(id: string): Promise<boolean> {
    return this.#records.remove(id);
  }

  #current(): Compiled {
    const source = this.#records.current;
    if (this.#compiled.source !== source) this.#compiled = compile(source, this.#compiled);
    return this.#compiled;
  }

  #defaultTime(selector: RevocationRecord['selector'], nowMs: number): number | undefined {
    if (selector?.kind === 'sessionId') return undefined;
    return endOfSecond(this.isShared ? nowMs + spreadingMs : nowMs);
  }

  async #removeUseless(nowMs: number): Promise<void> {
    for (const { id, record, addedAtMs } of this.list()) {
      const { issuedBeforeMs = addedAtMs } = record;
      if (Math.max(issuedBeforeMs, addedAtMs) + longestSessionMs < nowMs) await this.#records.remove(id);
    }
  }
}

/** Sessions record the second they were issued in, so the whole of the current second is included. */
function endOfSecond(ms: number): number {
  return (Math.floor(ms / 1000) + 1) * 1000;
}

/** Parses only records that are new since `before`: adding one to ten thousand must not hold up requests. */
function compile(source: ReadonlyMap<string, string>, before: Compiled): Compiled {
  const stored: Compiled['stored'] = new Map(
    [...source].map(([id, text]) => {
      const known = before.stored.get(id);
      return [id, known?.text === text ? known : { text, revocation: readStored(id, text) }];
    }),
  );
  const revocations: Revocation[] = [];
  for (const { revocation } of stored.values()) {
    if (revocation === undefined) return { source, stored, index: undefined };
    revocations.push({ keys: revocation.keys, issuedBeforeMs: revocation.record.issuedBeforeMs });
  }
  return { source, stored, index: new RevocationIndex(revocations) };
}

function writeStored({ record, addedAtMs, keys }: StoredRevocation): string {
  const { selector, issuedBeforeMs } = record;
  const named = selector === undefined ? {} : { [selector.kind]: selector.value };
  const issuedBefore =
    issuedBeforeMs === undefined ? {} : { issuedBefore: new Date(issuedBeforeMs).toISOString() };
  return JSON.stringify({ v: formatVersion, addedAtMs, keys, revocation: { ...named, ...issuedBefore } });
}

// Not trusted: other replicas, and other writers to the shared state, wrote it.
function readStored(id: string, text: string): StoredRevocation | undefined {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== formatVersion)
    return undefined;
  const { addedAtMs, keys, revocation } = value as Record<string, unknown>;
  const parsed = parseRevocationRecord(revocation);
  if ('problems' in parsed || typeof addedAtMs !== 'number' || !Array.isArray(keys)) return undefined;
  if (keys.length === 0 || !keys.every((key) => typeof key === 'string')) return undefined;
  return { id, record: parsed.record, addedAtMs, keys };
}

function parse(text: string): unknown {
  try {
    return parseJson(text, { maxBytes: maxRecordBytes });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
