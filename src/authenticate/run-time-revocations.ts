import type { Clock } from '../core/clock.ts';
import { JsonError, parseJson } from '../core/json.ts';
import type { Randomness } from '../core/randomness.ts';
import type { Revocation, RevocationNames } from '../directory/revocation-names.ts';
import {
  parseRevocationRecord,
  type RevocationProblem,
  type RevocationRecord,
} from '../directory/revocation-record.ts';
import type { ReplicatedRecords } from '../state/replicated-records.ts';
import { RevocationIndex } from './revocation-index.ts';

/** A revocation that was added while the sidecar ran. */
export interface RunTimeRevocation {
  readonly id: string;
  readonly record: RevocationRecord;
  /** Milliseconds since the Unix epoch. */
  readonly addedAtMs: number;
}

/** What became of an attempt to add one. */
export type AddedRevocation =
  | {
      readonly outcome: 'added';
      readonly revocation: RunTimeRevocation;
      /** What its author should look at again. */
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
  /** What each record says; `undefined` for one that cannot be read. */
  readonly stored: ReadonlyMap<
    string,
    { readonly text: string; readonly revocation: StoredRevocation | undefined }
  >;
  /** `undefined` when a record cannot be read: it may mean anybody. */
  readonly index: RevocationIndex | undefined;
}

const formatVersion = 1;
const idBytes = 12;
const maxRecordBytes = 16_384;
/**
 * Until a new revocation has come through, another replica may issue sessions to somebody whom it means: for as long as
 * writing may take, and as far as clocks may be apart.
 */
const spreadingMs = 2_000;
/** The longest session: when everything that a revocation means has expired, it is of no use any more. */
const longestSessionMs = 31_536_000_000;

/** The revocations that operators add while the sidecar runs, of all replicas where their state is shared. */
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

  /** Whether a revocation holds on all replicas, or on this one until it ends. */
  get isShared(): boolean {
    return this.#records.isShared;
  }

  /** What is known now; `undefined` when a record cannot be read. */
  get index(): RevocationIndex | undefined {
    return this.#current().index;
  }

  /** Learns those of all replicas until now. Throws `StateFault`. */
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

  /** The ids of those that cannot be read, and keep everybody out. */
  listUnreadable(): readonly string[] {
    return [...this.#current().stored].flatMap(([id, { revocation }]) =>
      revocation === undefined ? id : [],
    );
  }

  /**
   * Adds what somebody sent. Without a time it means the sessions issued until it is known everywhere, so that later ones
   * are of use; a session that is named by its id needs none. Throws `StateFault` when the other replicas cannot be told.
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
    // One that nobody can read would keep everybody out.
    if (readStored(id, text) === undefined) {
      return { outcome: 'invalid', problems: [{ key: selector?.kind, message: 'is too long' }] };
    }
    await this.#removeUseless(addedAtMs);
    if (!(await this.#records.put(id, text))) return { outcome: 'too_many' };
    const doubt = resolved.doubt?.message;
    return { outcome: 'added', revocation: { id, record, addedAtMs }, doubt };
  }

  /** False when there is none of this id. Throws `StateFault`. */
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
      if (issuedBeforeMs + longestSessionMs < nowMs) await this.#records.remove(id);
    }
  }
}

/** Sessions say the second they were issued in, so all those of this second are meant. */
function endOfSecond(ms: number): number {
  return (Math.floor(ms / 1000) + 1) * 1000;
}

/** Reads only what was not read `before`: one more among ten thousand must not hold up requests. */
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

// Other replicas, and whoever may write to the store, wrote it.
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
