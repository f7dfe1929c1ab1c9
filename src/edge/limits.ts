import type { PlaceLimits } from './places.ts';

/** Limits of the S3 listener, from the configuration. */
export interface ListenerLimits extends PlaceLimits {
  readonly maxHeaderBytes: number;
  readonly headersTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly maxConnections: number;
}

/** Longer than load balancers keep their side of an idle connection (60 s), so that they close it first. */
export const keepAliveTimeoutMs = 75_000;

/** How often Node looks for connections whose heads are late: by its own default only every 30 s. */
export const connectionsCheckingIntervalMs = 500;

/** How long the body of a request may take whose signature has not been verified. */
export const strangerBodyMs = 10_000;

/** Preflights that may wait for the store at the same time. */
export const maxPreflights = 32;

/** Headers of a request to the admin or control listener. */
export const maxOperatorHeaders = 64;

/** Longest User-Agent and Referer, in characters: policies match patterns against them, so their length is work. */
export const maxConditionHeader = 2048;
