import { performance } from 'node:perf_hooks';
import type { RequestAudit } from '../audit/request-audit.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { RequestRecord } from '../core/request-record.ts';

/** Facts that stages return, in the fields of the record. */
export type TraceFacts = Partial<Omit<RequestRecord, 'requestId' | 'method' | 'sourceIp' | 'durationMs'>>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects the facts of one request from its stages, for its one record. */
export class RequestTrace {
  /** Collects what only the audit record has; `undefined` while audit is off. */
  audit: RequestAudit | undefined = undefined;
  readonly #startedAt: number;
  // Every field exists from the start and is set in place: copying or growing the object at each stage is slow.
  readonly #record: Writable<RequestRecord>;

  /** @param startedAt when the request arrived, by the monotonic clock, in milliseconds */
  constructor(requestId: string, method: string, sourceIp: string, startedAt: number = performance.now()) {
    this.#startedAt = startedAt;
    this.#record = {
      requestId,
      service: 'none',
      listener: undefined,
      operation: 'Unknown',
      method,
      bucket: undefined,
      key: undefined,
      principalArn: undefined,
      caller: undefined,
      accessKeyId: undefined,
      sessionId: undefined,
      sourceIp,
      userAgent: undefined,
      traceId: undefined,
      status: 0,
      errorCode: undefined,
      errorDetail: undefined,
      authenticationFailure: undefined,
      upstreamFailure: undefined,
      upstreamRequestId: undefined,
      upstreamStatus: undefined,
      decision: undefined,
      issuedCredentials: undefined,
      issuedSessionId: undefined,
      issuedAccessKeyId: undefined,
      expiration: undefined,
      roleArn: undefined,
      sessionName: undefined,
      subject: undefined,
      audience: undefined,
      sourceIdentity: undefined,
      federatedUser: undefined,
      scopedSessionDescription: undefined,
      identityProvider: undefined,
      mfaOutcome: undefined,
      isAborted: false,
      bytesIn: 0,
      bytesOut: 0,
      durationMs: 0,
      upstreamMs: undefined,
      firstByteMs: undefined,
    };
  }

  get requestId(): string {
    return this.#record.requestId;
  }

  /** The ARN of the caller, once it is known. */
  get principal(): string | undefined {
    return this.#record.principalArn;
  }

  get sourceIp(): string {
    return this.#record.sourceIp;
  }

  /** Adds facts; later ones replace earlier ones. */
  add(facts: TraceFacts): void {
    Object.assign(this.#record, facts);
  }

  /** Adds facts from the head. */
  addHead(raw: RawRequest): void {
    const traceparent = raw.headers.get('traceparent');
    // Behind a trusted proxy this is the client's address, not the peer's.
    this.#record.sourceIp = raw.clientAddress;
    this.#record.userAgent = raw.headers.get('user-agent');
    this.#record.traceId = traceparent === undefined ? undefined : traceIdOf(traceparent);
    this.audit?.arrived(raw);
  }

  /** False when the request must be refused, because its audit record could not be kept. */
  canBeAudited(): boolean {
    return this.audit?.reserve(this.#record) ?? true;
  }

  /** Milliseconds since the request arrived. */
  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The finished record. Nothing may be added afterwards. */
  finish(): RequestRecord {
    this.#record.durationMs = this.elapsedMs();
    return this.#record;
  }
}

// W3C Trace Context, section 3.2.
function traceIdOf(traceparent: string): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent)?.[1];
}
