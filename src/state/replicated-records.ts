import type { Clock } from '../core/clock.ts';
import type { RecordsSnapshot, RecordsVersion, SharedState } from './shared-state.ts';

/** Told about the outcome of refreshes. */
export interface ReplicationObserver {
  /** Called after every attempt. `detail` says why one failed. */
  refreshed(outcome: 'success' | 'failure', detail?: string): void;
  /** Called when the shared state had lost records that this replica knew, and they were put back. */
  restored(count: number): void;
}

/** What is wrong with a copy: it was never read, is too old to be used, or is used although the last read has failed. */
export type RecordsFault = 'unknown' | 'stale' | 'unconfirmed';

/** Interval of reads: a change reaches every replica within a second. */
const refreshEveryMs = 400;

/** A copy of the records of a shared state. Keeps track of its age, so that stale records are not relied on. */
export class ReplicatedRecords {
  readonly #state: SharedState;
  readonly #clock: Clock;
  readonly #maxStalenessMs: number;
  readonly #observer: ReplicationObserver;
  #records: ReadonlyMap<string, string> = new Map();
  #version: RecordsVersion | undefined;
  /** When the copy was last known to be current; `undefined` before the first answer. */
  #confirmedAtMs: number | undefined;
  /** Set once the copy is too old. A clock that is set back does not make it fresh again. */
  #isStale = false;
  /** True when the last refresh has failed. */
  #isFailing = false;
  #reading: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(state: SharedState, clock: Clock, maxStalenessMs: number, observer: ReplicationObserver) {
    this.#state = state;
    this.#clock = clock;
    this.#maxStalenessMs = maxStalenessMs;
    this.#observer = observer;
  }

  /** The copy. The map is replaced only when a record changes. */
  get current(): ReadonlyMap<string, string> {
    return this.#records;
  }

  /** True when other replicas have the same records. */
  get isShared(): boolean {
    return this.#state.isShared;
  }

  /**
   * True while the last refresh is within the staleness limit, measured from now. The arrival time of a request would be wrong:
   * its body may have taken longer than the limit.
   */
  isFresh(): boolean {
    if (this.#confirmedAtMs === undefined) return false;
    if (!this.#state.isShared) return true;
    const nowMs = this.#clock.now();
    // When the clock was set back, the age of the copy is unknown.
    if (Math.abs(nowMs - this.#confirmedAtMs) > this.#maxStalenessMs) this.#isStale = true;
    return !this.#isStale;
  }

  /** Why the copy may be old, or is; `undefined` while it is current. */
  get fault(): RecordsFault | undefined {
    if (this.#confirmedAtMs === undefined) return 'unknown';
    if (!this.isFresh()) return 'stale';
    return this.#isFailing ? 'unconfirmed' : undefined;
  }

  /** Reads the records, and repeats that from now on. Never throws. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#state.isShared) this.#scheduleRefresh();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * Reads all changes made until now.
   * @throws StateError
   */
  async learn(): Promise<void> {
    if (this.#state.isShared) await this.#read();
  }

  /**
   * Adds or replaces a record, which is in the copy when the promise resolves. False when there are too many.
   * @throws StateError
   */
  async put(id: string, text: string): Promise<boolean> {
    if (!(await this.#state.putRecord(id, text))) return false;
    await this.#read();
    return true;
  }

  /**
   * Removes a record. False when there was none.
   * @throws StateError
   */
  async remove(id: string): Promise<boolean> {
    const isRemoved = await this.#state.removeRecord(id);
    await this.#read();
    return isRemoved;
  }

  #scheduleRefresh(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(
      () => void this.#refresh().finally(() => this.#scheduleRefresh()),
      refreshEveryMs,
    );
    this.#timer.unref();
  }

  async #refresh(): Promise<void> {
    try {
      await this.#read();
      this.#isFailing = false;
      this.#observer.refreshed('success');
    } catch (error) {
      this.#isFailing = true;
      this.isFresh();
      if (!this.#isStopped) this.#observer.refreshed('failure', String(error));
    }
  }

  // One read at a time, because a late answer would bring back an older state. A read that has begun may miss a recent write,
  // so a new call waits for the next read, which it shares with all calls made before it begins.
  #read(): Promise<void> {
    this.#waiting ??= this.#readNext();
    return this.#waiting;
  }

  async #readNext(): Promise<void> {
    await this.#reading?.catch(() => undefined);
    this.#reading = this.#waiting;
    this.#waiting = undefined;
    await this.#readNow();
  }

  async #readNow(): Promise<void> {
    const askedAtMs = this.#clock.now();
    const known = this.#version;
    const snapshot = await this.#state.readRecords(known);
    if (snapshot !== undefined) await this.#take(snapshot, known);
    this.#confirmedAtMs = askedAtMs;
    this.#isStale = false;
  }

  async #take(
    { version, records, isContinued }: RecordsSnapshot,
    known: RecordsVersion | undefined,
  ): Promise<void> {
    const lost = new Map(isContinued || known === undefined ? [] : this.#records);
    for (const id of records.keys()) lost.delete(id);
    // Until they are restored, the records known to this replica still count.
    this.#records = lost.size === 0 ? records : new Map([...lost, ...records]);
    if (lost.size > 0) {
      await this.#state.restoreRecords(lost);
      this.#observer.restored(lost.size);
    }
    this.#version = version;
  }
}
