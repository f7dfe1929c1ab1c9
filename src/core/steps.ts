import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** Work in short steps: it yields wherever other work may come between. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Takes all steps at once. */
export function takeAll<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A tenth of the longest pause that requests may notice: a step can take longer than the average, and so can a collection of garbage. */
const sliceMs = 5;

/**
 * Takes the steps in slices of some milliseconds, between which the event loop does all other work that is due.
 * @param signal ends it before the next slice
 * @throws what a step throws, and the reason of the signal
 */
export async function takeInSlices<Result>(steps: Steps<Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const endsAt = performance.now() + sliceMs;
    while (performance.now() < endsAt) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
    await setImmediate(undefined, signal === undefined ? {} : { signal });
  }
}
