import { performance } from 'node:perf_hooks';

/** While others call, a caller gets no further place when it has this many times as many as are free. */
const mostTimesFree = 3;
/** The last eighth of all places is for callers who have few: a sixty-fourth of all, or none where there are not as many. */
const reservedPart = 8;
const fewPart = 64;
/** How long a caller who sends nothing more counts as one who calls, in milliseconds. */
const recentMs = 60_000;

/**
 * The places in flight, shared among callers. One caller gets three quarters at most, and callers with many get seven eighths
 * together: the rest is for those who have few. A caller who is alone may have all of them, unless some are spared from it.
 * Source: dynamic thresholds for shared buffers (Choudhury and Hahne, 1998).
 */
export class CallersPlaces {
  readonly #max: number;
  readonly #held = new Map<string, number>();
  #taken = 0;
  /** The caller who came last, and when the last other one came. */
  #last = '';
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #otherAtMs = Number.NEGATIVE_INFINITY;

  /** True when some are spared also from a caller who is alone: one whom nobody can name or revoke. */
  readonly #spares: boolean;

  constructor(max: number, spares = false) {
    this.#max = max;
    this.#spares = spares;
  }

  /** All places that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place for a caller; false when there is none for it.
   * @param most how many places it may have in any case; all when absent
   */
  take(caller: string, most: number = this.#max): boolean {
    this.#note(caller);
    const free = this.#max - this.#taken;
    const held = this.#held.get(caller) ?? 0;
    if (free <= 0 || held >= most || (this.#hasEnough(held, free) && (this.#spares || this.#othersCall())))
      return false;
    this.#taken += 1;
    this.#held.set(caller, held + 1);
    return true;
  }

  /** Gives a place of a caller back. */
  giveBack(caller: string): void {
    this.#taken -= 1;
    const left = (this.#held.get(caller) ?? 0) - 1;
    if (left > 0) this.#held.set(caller, left);
    else this.#held.delete(caller);
  }

  #hasEnough(held: number, free: number): boolean {
    const isReserved = free <= Math.floor(this.#max / reservedPart);
    return held >= mostTimesFree * free || (isReserved && held >= Math.max(1, this.#max / fewPart));
  }

  #note(caller: string): void {
    if (caller !== this.#last) {
      this.#otherAtMs = this.#lastAtMs;
      this.#last = caller;
    }
    this.#lastAtMs = performance.now();
  }

  /** True when another caller than the last one has called recently. */
  #othersCall(): boolean {
    return performance.now() - this.#otherAtMs < recentMs;
  }
}
