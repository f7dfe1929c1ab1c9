import type { PlaceLimits } from './places.ts';

/** Limits of the S3 listener, from the configuration. */
export interface ListenerLimits extends PlaceLimits {
  readonly maxHeaderBytes: number;
  readonly headersTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly maxConnections: number;
}

/** How often Node checks `headersTimeout`. Its default is every 30 s. */
export const connectionsCheckingIntervalMs = 500;

/** How long the body of a request without a verified signature may take. */
export const strangerBodyMs = 10_000;

/** Most preflights that wait for the store at the same time. */
const maxPreflights = 32;

/**
 * How many preflights may wait for the store at the same time: at most half of the room of strangers, because they do not give
 * way to others.
 */
export function preflightsAtOnce({ maxUnauthenticated }: PlaceLimits): number {
  return Math.max(1, Math.min(maxPreflights, Math.floor(maxUnauthenticated / 2)));
}

/** Most headers of a request to the admin or control listener. */
export const maxOperatorHeaders = 64;

/** Longest User-Agent and Referer, in characters. Policies match patterns against them, so their length costs time. */
export const maxConditionHeader = 2048;
