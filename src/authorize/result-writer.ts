import type { Denied } from './denied.ts';

/** The circumstances in which a result is rewritten. */
export interface Rewriting {
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
  /**
   * Accounts for bytes that are held beside the result.
   * @throws BudgetExhaustedError
   */
  readonly reserve: (bytes: number) => void;
}

/**
 * Rewrites the answer of the store to what the caller may see of it. Resolves to a `refusal` when the caller may see nothing
 * or a decision failed. Rejects when the signal is aborted, and when memory does not suffice.
 */
export type ResultWriter = (
  storeResult: Uint8Array,
  rewriting: Rewriting,
) => Promise<Buffer | { readonly refusal: Denied }>;
