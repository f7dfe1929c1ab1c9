import { performance } from 'node:perf_hooks';

/** A turn that takes longer, in milliseconds, is followed by a rest. */
const dearMs = 10;
/** How much longer than the turn the rest is. */
const restFactor = 20;

/**
 * Gives the connections of one provider their turns: one piece of work in each turn of the event loop, in the order of asking. After one that took
 * long nobody has a turn for twenty times as long, so that the provider has a twentieth of the time at most.
 */
export class ProviderPace {
  readonly #waiting: (() => void)[] = [];
  #isComing = false;

  /** Does the work in a later turn. It must not throw. */
  nextTurn(work: () => void): void {
    this.#waiting.push(work);
    this.#come(0);
  }

  #come(restMs: number): void {
    if (this.#isComing || this.#waiting.length === 0) return;
    this.#isComing = true;
    if (restMs > 0) setTimeout(() => this.#turn(), restMs).unref();
    else setImmediate(() => this.#turn());
  }

  #turn(): void {
    const tookMs = timed(this.#waiting.shift());
    this.#isComing = false;
    this.#come(tookMs > dearMs ? tookMs * restFactor : 0);
  }
}

/** How long the work kept the processor busy, in milliseconds. */
function timed(work: (() => void) | undefined): number {
  const beganMs = performance.now();
  const begun = process.cpuUsage();
  work?.();
  const tookMs = performance.now() - beganMs;
  if (tookMs <= dearMs) return tookMs;
  // Where a processor is short, little of the time went into the work; and other threads take processor time meanwhile.
  const { user, system } = process.cpuUsage(begun);
  return Math.min(tookMs, (user + system) / 1000);
}
