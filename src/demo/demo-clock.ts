import type { Clock } from '../core/clock.ts';

/** A clock that runs with another one and can be put forward, so that the scenario can see a session expire. */
export class DemoClock implements Clock {
  readonly #base: Clock;
  #offsetMs = 0;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#offsetMs;
  }

  /** Moves the time forward. */
  advance(milliseconds: number): void {
    this.#offsetMs += milliseconds;
  }
}
