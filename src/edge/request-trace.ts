import { performance } from 'node:perf_hooks';
import type { RequestAudit } from '../audit/request-audit.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { readTraceContext, type TraceContext, traceHeaders } from '../core/trace-context.ts';
import type { RequestSpan, Tracing } from '../tracing/tracing.ts';

/** Facts that stages return, in the fields of the record. */
export type TraceFacts = Partial<Omit<RequestRecord, 'requestId' | 'method' | 'sourceIp' | 'durationMs'>>;

const untraced: readonly string[] = [];

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects the facts of one request from its stages, for its one record. */
export class RequestTrace {
  /** Collects what only the audit record has; `undefined` while audit is off. */
  audit: RequestAudit | undefined = undefined;
  /** Makes its spans; `undefined` while none are exported. */
  tracing: Tracing | undefined = undefined;
  #span: RequestSpan | undefined;
  /** Where the client says that the request comes from. */
  #cameFrom: TraceContext | undefined;
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

  /** Adds facts from the head. Returns the request with its place in the trace. */
  addHead(raw: RawRequest): RawRequest {
    this.#cameFrom = readTraceContext(raw.headers);
    // Behind a trusted proxy this is the client's address, not the peer's.
    this.#record.sourceIp = raw.clientAddress;
    this.#record.userAgent = raw.headers.get('user-agent');
    this.#beginSpan();
    this.audit?.arrived(raw);
    const context = this.#span?.context ?? this.#cameFrom;
    return context === undefined ? raw : { ...raw, traceHeaders: traceHeaders(context) };
  }

  /**
   * Notes that the store is asked now. Returns the headers, flat, by which its spans join the trace: without an exporter those of the
   * client, whose span is then the nearest one that exists.
   */
  askStore(): readonly string[] {
    const context = this.#span?.askStore(this.elapsedMs()) ?? this.#cameFrom;
    return context === undefined ? untraced : traceHeaders(context);
  }

  #beginSpan(): void {
    this.#span = this.tracing?.begin(this.#cameFrom, this.elapsedMs());
    this.#record.traceId = (this.#span?.context ?? this.#cameFrom)?.traceId;
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
    // A head that could not be read has its span too.
    if (this.#span === undefined) this.#beginSpan();
    this.#record.durationMs = this.elapsedMs();
    return this.#record;
  }

  /** Ends its spans. */
  endSpan(record: RequestRecord): void {
    this.#span?.end(record);
    this.#span = undefined;
  }
}
