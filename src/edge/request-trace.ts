import { performance } from 'node:perf_hooks';
import type { RawRequest } from '../core/raw-request.ts';
import type { RequestRecord } from '../core/request-record.ts';

/** Facts that stages return, in the fields of the record. */
export type TraceFacts = Partial<Omit<RequestRecord, 'requestId' | 'method' | 'sourceIp' | 'durationMs'>>;

/** Collects what the stages return about one request, and makes the one record of it at the end. */
export class RequestTrace {
  readonly requestId: string;
  readonly #startedAt = performance.now();
  readonly #method: string;
  readonly sourceIp: string;
  #facts: TraceFacts = {};

  constructor(requestId: string, method: string, sourceIp: string) {
    this.requestId = requestId;
    this.#method = method;
    this.sourceIp = sourceIp;
  }

  /** Adds facts; later ones replace earlier ones. */
  add(facts: TraceFacts): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  /** Adds what the head of a request says. */
  addHead(raw: RawRequest): void {
    const userAgent = raw.headers.get('user-agent');
    const traceId = traceIdOf(raw.headers.get('traceparent'));
    this.add({
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(traceId === undefined ? {} : { traceId }),
    });
  }

  /** Milliseconds since the request arrived. */
  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  finish(): RequestRecord {
    return {
      service: 'none',
      operation: 'Unknown',
      status: 0,
      isAborted: false,
      bytesIn: 0,
      bytesOut: 0,
      ...this.#facts,
      requestId: this.requestId,
      method: this.#method,
      sourceIp: this.sourceIp,
      durationMs: this.elapsedMs(),
    };
  }
}

// W3C Trace Context, section 3.2: only the trace id is of use, and only when it is well-formed.
function traceIdOf(traceparent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? '')?.[1];
}
