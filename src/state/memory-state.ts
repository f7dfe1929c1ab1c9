import {
  type AttemptLimit,
  maxRecords,
  type RecordsSnapshot,
  type RecordsVersion,
  type SharedState,
  StateError,
} from './shared-state.ts';

/** Most names that are remembered: more than real callers use in five minutes, and a bound on memory. */
const maxNames = 100_000;

/** The state of this process alone. It is lost when the process ends. */
export class MemoryState implements SharedState {
  readonly isShared: boolean = false;
  /** When each name may be forgotten, in order of first use. */
  readonly #used = new Map<string, number>();
  // Bounded, because the names are those of MFA devices in the directory.
  readonly #attempts = new Map<string, number[]>();
  readonly #records = new Map<string, string>();
  #version = 0;

  async useOnce(name: string, untilMs: number, nowMs: number): Promise<boolean> {
    for (const [known, end] of this.#used) {
      if (end > nowMs) break;
      this.#used.delete(known);
    }
    const end = this.#used.get(name);
    if (end !== undefined && end > nowMs) return false;
    if (this.#used.size >= maxNames) throw new StateError('more uses than can be remembered');
    this.#used.delete(name);
    this.#used.set(name, untilMs);
    return true;
  }

  async beginAttempt(name: string, limit: AttemptLimit, nowMs: number): Promise<boolean> {
    const { maxFailures, windowMs } = limit;
    const failures = this.#attempts.get(name) ?? [];
    this.#attempts.set(name, failures);
    const [first] = failures;
    const last = failures.at(-1);
    if (first !== undefined && last !== undefined && failures.length >= maxFailures) {
      if (last - first < windowMs && nowMs - last < windowMs) return false;
      failures.shift();
    }
    failures.push(nowMs);
    return true;
  }

  async forgiveAttempt(name: string, begunAtMs: number): Promise<void> {
    const failures = this.#attempts.get(name) ?? [];
    const index = failures.lastIndexOf(begunAtMs);
    if (index !== -1) failures.splice(index, 1);
  }

  async readRecords(known: RecordsVersion | undefined): Promise<RecordsSnapshot | undefined> {
    if (known?.number === this.#version) return undefined;
    const version = { epoch: '', number: this.#version, stamp: '' };
    return { version, records: new Map(this.#records), isContinued: true };
  }

  async putRecord(id: string, text: string): Promise<boolean> {
    if (!this.#records.has(id) && this.#records.size >= maxRecords) return false;
    this.#records.set(id, text);
    this.#version += 1;
    return true;
  }

  async restoreRecords(records: ReadonlyMap<string, string>): Promise<void> {
    for (const [id, text] of records) if (!this.#records.has(id)) this.#records.set(id, text);
    this.#version += 1;
  }

  async removeRecord(id: string): Promise<boolean> {
    if (!this.#records.delete(id)) return false;
    this.#version += 1;
    return true;
  }

  async close(): Promise<void> {}
}
