/*
 * This folder owns what requests must know about each other: used codes and assertions, failed attempts, and revocations at run
 * time.
 * In: names, times and texts, whose meaning it does not know. Out: answers from memory, or from a Redis that replicas share.
 * It never guesses: when the answer is uncertain it throws a `StateError`, and the caller refuses the request.
 * It never falls back from Redis to memory, and never stores a session.
 */

/** This many failures within the window lock a name until the window has passed. */
export interface AttemptLimit {
  readonly maxFailures: number;
  readonly windowMs: number;
}

/** Identifies one state of the records. */
export interface RecordsVersion {
  readonly epoch: string;
  /** Grows by one with every change. */
  readonly number: number;
  /** Differs between two states with the same number, which occur after Redis has lost changes. */
  readonly stamp: string;
}

/** All records of one version, by id. */
export interface RecordsSnapshot {
  readonly version: RecordsVersion;
  readonly records: ReadonlyMap<string, string>;
  /** True when this state is a successor of the known version. If not, records may have been lost. */
  readonly isContinued: boolean;
}

/**
 * State that requests share, within this process or across all replicas. Times are milliseconds since the Unix epoch. Every
 * method throws {@link StateError} when the answer is uncertain, and the caller must then refuse the request.
 */
export interface SharedState {
  /** True when other replicas see the same state. */
  readonly isShared: boolean;
  /** True for the first use of a name until `untilMs`, and false for every later one. Of concurrent uses exactly one is the first. */
  useOnce(name: string, untilMs: number, nowMs: number): Promise<boolean>;
  /**
   * Counts an attempt as failed before its result is known, so that concurrent attempts cannot exceed the limit together.
   * False when the name is locked; such an attempt is not counted.
   */
  beginAttempt(name: string, limit: AttemptLimit, nowMs: number): Promise<boolean>;
  /** Takes back the attempt that began at that time, because it succeeded. */
  forgiveAttempt(name: string, begunAtMs: number): Promise<void>;
  /** All records; `undefined` when they are still those of `known`. */
  readRecords(known: RecordsVersion | undefined): Promise<RecordsSnapshot | undefined>;
  /** Adds or replaces a record. False when there are too many. */
  putRecord(id: string, text: string): Promise<boolean>;
  /** Puts lost records back, even beyond the limit. Records that exist are not changed. */
  restoreRecords(records: ReadonlyMap<string, string>): Promise<void>;
  /** False when there was none. */
  removeRecord(id: string): Promise<boolean>;
  /** Ends connections. */
  close(): Promise<void>;
}

/** The part that remembers used names. */
export type UsedNames = Pick<SharedState, 'useOnce'>;

/** The state cannot be read or written now, so it is unknown what other requests did. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/** Most records. One takes some hundred bytes, and every replica holds all of them. */
export const maxRecords: number = 10_000;
