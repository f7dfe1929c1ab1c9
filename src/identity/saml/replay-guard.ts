import type { Clock } from '../../core/clock.ts';

/** Remembers what may be used once. */
export interface ReplayGuard {
  /**
   * True for the first use of an id until `untilMs`, milliseconds since the Unix epoch, and false for every later one.
   * One of several uses at the same time is the first. Throws when nothing is known about earlier uses.
   */
  useOnce(id: string, untilMs: number): Promise<boolean>;
}

/** Used assertions of five minutes; one that does not fit any more could be used again, so it is refused. */
const maxRemembered = 100_000;

/** A guard of this process alone. */
export class MemoryReplayGuard implements ReplayGuard {
  readonly #clock: Clock;
  /** When each id may be forgotten, in the order of their first uses. */
  readonly #used = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async useOnce(id: string, untilMs: number): Promise<boolean> {
    const now = this.#clock.now();
    for (const [known, end] of this.#used) {
      if (end > now) break;
      this.#used.delete(known);
    }
    if (this.#used.has(id) || this.#used.size >= maxRemembered) return false;
    this.#used.set(id, untilMs);
    return true;
  }
}
