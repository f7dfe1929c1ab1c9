/** Why a request has ended without a complete answer. */
export type HttpFaultReason =
  /** The connection could not be established. */
  | 'connect'
  | 'connect_timeout'
  /** The request was sent, and the head of the answer did not arrive in time. */
  | 'headers_timeout'
  /** The peer stopped reading the request, or stopped sending the answer. */
  | 'idle_timeout'
  /** The connection ended before the answer did, by a reset or in order. */
  | 'reset'
  /** The peer did not send a valid HTTP/1.1 answer, or one that could be read in two ways. */
  | 'protocol';

/** Facts about a request that failed. */
export interface HttpFaultFacts {
  readonly cause?: unknown;
  /** True when the peer closed a kept-alive connection before it answered: it may never have seen the request. */
  readonly isStale?: boolean;
  /** False when the peer cannot have seen a byte of the request. */
  readonly wasSent?: boolean;
}

/** A request failed: no answer, or only a part of one, has arrived. The message contains no text from the peer. */
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

/** Makes the fault for an invalid answer; `message` names the rule that it breaks. */
export function protocolFault(message: string): HttpFault {
  return new HttpFault('protocol', message);
}

/** Makes the fault for anything that is thrown while an answer is handled. */
export function toFault(error: unknown): HttpFault {
  if (error instanceof HttpFault) return error;
  return new HttpFault('protocol', 'the answer could not be handled', { cause: error });
}

/** The fault of a connection that was not established. `error` is that of its socket. */
export function connectFault(error: Error | undefined): HttpFault {
  const code = error !== undefined && 'code' in error ? String(error.code) : 'closed';
  const message = `the connection could not be established (${code})`;
  return new HttpFault('connect', message, { cause: error, wasSent: false });
}
