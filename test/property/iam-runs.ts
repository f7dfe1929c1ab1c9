import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many random questions the policy engine and the reference evaluator are both asked. */
    iamRuns: number | undefined;
  }
}

/** Runs of the comparison with the reference evaluator. */
export const engineRuns: number = inject('iamRuns') ?? 5_000;

/** Runs of every other property of the policy engine. */
export const otherRuns: number = engineRuns / 5;

/** Ten times what the slowest property takes on a slow core. */
export const propertyTimeoutMs: number = engineRuns * 24;
