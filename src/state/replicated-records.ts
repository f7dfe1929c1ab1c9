import type { Clock } from '../core/clock.ts';
import { maxRecords, type RecordsSnapshot, type RecordsVersion, type SharedState } from './shared-state.ts';

/** What becomes of the attempts to learn about changes. */
export interface ReplicationObserver {
  /** Every attempt; `detail` says why one failed. */
  refreshed(outcome: 'success' | 'failure', detail?: string): void;
  /** The store lost records that this replica still had; they were put back. */
  restored(count: number): void;
}

/** How often changes are asked for: every replica has them within a second. */
const refreshEveryMs = 400;

/**
 * The records of a shared state as this process last saw them. Knows when that was, so that nobody relies on what may
 * have changed since.
 */
export class ReplicatedRecords {
  readonly #state: SharedState;
  readonly #clock: Clock;
  readonly #maxStalenessMs: number;
  readonly #observer: ReplicationObserver;
  #records: ReadonlyMap<string, string> = new Map();
  #version: RecordsVersion | undefined;
  /** When what is known now was certainly so; `undefined` before the first answer. */
  #confirmedAtMs: number | undefined;
  #refreshing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(state: SharedState, clock: Clock, maxStalenessMs: number, observer: ReplicationObserver) {
    this.#state = state;
    this.#clock = clock;
    this.#maxStalenessMs = maxStalenessMs;
    this.#observer = observer;
  }

  /** The records as last seen. The same map until one changes. */
  get current(): ReadonlyMap<string, string> {
    return this.#records;
  }

  /** Whether other replicas have the same records. */
  get isShared(): boolean {
    return this.#state.isShared;
  }

  /** Whether anything was learned at all. */
  get isKnown(): boolean {
    return this.#confirmedAtMs !== undefined;
  }

  /** False when too much could have changed since the records were seen. `nowMs` is milliseconds since the Unix epoch. */
  isFresh(nowMs: number): boolean {
    if (this.#confirmedAtMs === undefined) return false;
    // A clock that went back says nothing about how long ago that was.
    return !this.#state.isShared || Math.abs(nowMs - this.#confirmedAtMs) <= this.#maxStalenessMs;
  }

  /** Asks for the records now, and from then on for changes. Never throws. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#state.isShared) this.#scheduleRefresh();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Adds or replaces a record; it counts here when this resolves. False when there are too many. Throws `StateFault`. */
  async put(id: string, text: string): Promise<boolean> {
    if (!(await this.#state.putRecord(id, text))) return false;
    await this.#read();
    return true;
  }

  /** Removes a record. False when there was none. Throws `StateFault`. */
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
      this.#observer.refreshed('success');
    } catch (error) {
      if (!this.#isStopped) this.#observer.refreshed('failure', String(error));
    }
  }

  // One at a time: an answer that was overtaken would bring back what has changed since.
  async #read(): Promise<void> {
    const before = this.#refreshing;
    const mine = (async () => {
      await before?.catch(() => undefined);
      await this.#readNow();
    })();
    this.#refreshing = mine;
    await mine;
  }

  async #readNow(): Promise<void> {
    const askedAtMs = this.#clock.now();
    const known = this.#version;
    const snapshot = await this.#state.readRecords(known);
    if (snapshot !== undefined) await this.#take(snapshot, known);
    this.#confirmedAtMs = askedAtMs;
  }

  async #take({ version, records }: RecordsSnapshot, known: RecordsVersion | undefined): Promise<void> {
    const isLossy = known !== undefined && (version.epoch !== known.epoch || version.number < known.number);
    const lost = isLossy ? [...this.#records].filter(([id]) => !records.has(id)) : [];
    if (lost.length === 0) {
      this.#records = records;
      this.#version = version;
      return;
    }
    // Until they are back, what this replica knew goes on to count.
    this.#records = new Map([...lost, ...records].slice(0, maxRecords));
    for (const [id, text] of lost) await this.#state.putRecord(id, text);
    this.#observer.restored(lost.length);
    this.#version = version;
  }
}
