/** Limits of the S3 listener, from the configuration. */
export interface ListenerLimits {
  readonly maxHeaderBytes: number;
  readonly headersTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly maxConnections: number;
  /** Requests being answered at once; more get SlowDown. */
  readonly maxInFlight: number;
}

/** Longer than load balancers keep their side of an idle connection (60 s), so that they close it first. */
export const keepAliveTimeoutMs = 75_000;

/** Longest User-Agent and Referer, in characters: policies match patterns against them, so their length is work. */
export const maxConditionHeader = 2048;
