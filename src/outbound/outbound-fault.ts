/** The reason why a request to another service failed. */
export type OutboundReason =
  /** No connection: name, route, refusal, TLS. */
  | 'unreachable'
  /** Not finished within the time limit. */
  | 'timeout'
  /** 429 or 5xx: a later request may succeed. */
  | 'server_error'
  /** Any other unsuccessful status, redirects included. */
  | 'rejected'
  /** The response is larger than allowed. */
  | 'oversized'
  /** The response is not strict JSON. */
  | 'unusable'
  /** Refused here: the URL or the connected address is not allowed. */
  | 'forbidden';

/** A failed request to another service. The message quotes neither credentials nor content. */
export class OutboundFault extends Error {
  override readonly name = 'OutboundFault';
  readonly reason: OutboundReason;
  /** The status of the response, if there was one. */
  readonly status: number | undefined;

  constructor(reason: OutboundReason, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.status = options.status;
  }

  /** True when the same request may succeed later. */
  get isTransient(): boolean {
    return this.reason === 'unreachable' || this.reason === 'timeout' || this.reason === 'server_error';
  }
}
