/*
 * This folder owns what requests have to know about each other: used codes and assertions, failed attempts, and
 * revocations at run time.
 * In: names, times and texts, whose meaning it does not know. Out: answers from memory, or from a Redis that replicas share.
 * It never answers when it is not certain: it throws a `StateFault`, and the caller refuses the request.
 * It never falls back from Redis to memory, and never stores a session.
 */

/** How many failures in how long make a name be refused, and for as long. */
export interface AttemptLimit {
  readonly maxFailures: number;
  readonly windowMs: number;
}

/** Which state of the records somebody knows. */
export interface RecordsVersion {
  readonly epoch: string;
  /** Grows by one with every change. */
  readonly number: number;
  /** Tells two states of one number apart, which a store that lost some can come to. */
  readonly stamp: string;
}

/** Every record at one version, by id. */
export interface RecordsSnapshot {
  readonly version: RecordsVersion;
  readonly records: ReadonlyMap<string, string>;
  /** Whether the version that was known is one of its past; if not, the store may have lost what was known. */
  readonly isContinued: boolean;
}

/**
 * What one request has to know of others: of this process alone, or of all replicas. Times are milliseconds since the
 * Unix epoch. Every method throws {@link StateFault} when nothing is certain; nobody is let through then.
 */
export interface SharedState {
  /** Whether other replicas see the same. */
  readonly isShared: boolean;
  /** True for the first use of a name until `untilMs`, and false for every later one. Of several at once one is first. */
  useOnce(name: string, untilMs: number, nowMs: number): Promise<boolean>;
  /**
   * Counts an attempt as failed before it is known how it ends, so that many at once cannot pass the limit together.
   * False when the name is locked; that attempt counts for nothing.
   */
  beginAttempt(name: string, limit: AttemptLimit, nowMs: number): Promise<boolean>;
  /** Takes back an attempt that was begun at that time and ended well. */
  forgiveAttempt(name: string, begunAtMs: number): Promise<void>;
  /** All records; `undefined` when they are still those of `known`. */
  readRecords(known: RecordsVersion | undefined): Promise<RecordsSnapshot | undefined>;
  /** Adds or replaces a record. False when there are too many. */
  putRecord(id: string, text: string): Promise<boolean>;
  /** Puts back what was lost, however many records there are; those that are there stay as they are. */
  restoreRecords(records: ReadonlyMap<string, string>): Promise<void>;
  /** False when there was none. */
  removeRecord(id: string): Promise<boolean>;
  /** Ends connections. */
  close(): Promise<void>;
}

/** The part that tells what was used before. */
export type UsedNames = Pick<SharedState, 'useOnce'>;

/** Nobody can say now what other requests did. */
export class StateFault extends Error {
  override readonly name = 'StateFault';
}

/** Records that fit; one is some hundred bytes, and every replica holds them all. */
export const maxRecords: number = 10_000;
