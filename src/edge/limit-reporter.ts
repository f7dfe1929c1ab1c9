import type { Log } from '../observe/log.ts';
import type { LimitName, Metrics } from '../observe/metrics.ts';

const oneSecondMs = 1_000;

/** Counts the times a limit acts, and logs them: one line a second for each limit, however many there are. */
export class LimitReporter {
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #pending = new Map<LimitName, number>();

  constructor(metrics: Metrics, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** A limit made a request or connection wait, give way or be refused. */
  acted(limit: LimitName): void {
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
