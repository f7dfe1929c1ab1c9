/** What ended a request without a whole answer. */
export type HttpFaultReason =
  /** The connection could not be established. */
  | 'connect'
  | 'connect_timeout'
  /** The request was sent and no head of an answer came. */
  | 'headers_timeout'
  /** The peer neither took the rest of the request nor sent the rest of the answer. */
  | 'idle_timeout'
  /** The connection ended before the answer did, by a reset or an orderly end. */
  | 'reset'
  /** The peer sent what is no HTTP/1.1 answer, or one that could be read in two ways. */
  | 'protocol';

/** Facts about a request that failed. */
export interface HttpFaultFacts {
  readonly cause?: unknown;
  /** True when a kept-alive connection was closed by the peer before any byte of an answer: it may never have seen it. */
  readonly isStale?: boolean;
  /** False when the peer cannot have seen a byte of the request. */
  readonly wasSent?: boolean;
}

/** A request failed; no answer, or only a part of one, has arrived. The message holds nothing the peer chose. */
export class HttpFault extends Error {
  override readonly name = 'HttpFault';
  readonly reason: HttpFaultReason;
  readonly isStale: boolean;
  readonly wasSent: boolean;

  constructor(reason: HttpFaultReason, message: string, facts: HttpFaultFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.reason = reason;
    this.isStale = facts.isStale ?? false;
    this.wasSent = facts.wasSent ?? true;
  }
}

/** What makes an answer unreadable; `message` says which rule it breaks. */
export function protocolFault(message: string): HttpFault {
  return new HttpFault('protocol', message);
}
