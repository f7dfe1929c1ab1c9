/** Why a request to another service brought nothing usable. */
export type OutboundReason =
  /** No connection: name, route, refusal, TLS. */
  | 'unreachable'
  /** Not finished within the time limit. */
  | 'timeout'
  /** 429 or 5xx: it may work later. */
  | 'server_error'
  /** Any other status that is no success, redirects included. */
  | 'rejected'
  /** More bytes than the caller allows. */
  | 'oversized'
  /** An answer that is not strict JSON. */
  | 'unusable'
  /** The guard's own refusal: the URL or the connected address is not allowed. */
  | 'forbidden';

/** A request to another service that failed. The message quotes neither credentials nor content. */
export class OutboundFault extends Error {
  override readonly name = 'OutboundFault';
  readonly reason: OutboundReason;
  /** The answer's status, when there was one. */
  readonly status: number | undefined;

  constructor(reason: OutboundReason, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.status = options.status;
  }

  /** True when the other side may answer the same question later. */
  get isTransient(): boolean {
    return this.reason === 'unreachable' || this.reason === 'timeout' || this.reason === 'server_error';
  }
}
