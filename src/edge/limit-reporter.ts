import type { Log } from '../observe/log.ts';
import type { LimitName, Metrics } from '../observe/metrics.ts';

const oneSecondMs = 1_000;

/** Counts how often each limit acts, and logs at most one line a second for each limit. */
export class LimitReporter {
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #pending = new Map<LimitName, number>();
  #actions = 0;

  constructor(metrics: Metrics, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** How often a limit has acted since the start. */
  get actions(): number {
    return this.#actions;
  }

  /** Notes that a limit has refused or ended a request or a connection. */
  acted(limit: LimitName): void {
    this.#actions += 1;
    this.#metrics.limitActed(limit);
    const pending = this.#pending.get(limit);
    this.#pending.set(limit, (pending ?? 0) + 1);
    if (pending !== undefined) return;
    this.#write(limit);
    setTimeout(() => this.#writeRest(limit), oneSecondMs).unref();
  }

  #writeRest(limit: LimitName): void {
    if ((this.#pending.get(limit) ?? 0) > 0) {
      this.#write(limit);
      setTimeout(() => this.#writeRest(limit), oneSecondMs).unref();
    } else this.#pending.delete(limit);
  }

  #write(limit: LimitName): void {
    this.#log.warn('edge', 'limit acted', { limit, times: this.#pending.get(limit) ?? 0 });
    this.#pending.set(limit, 0);
  }
}
