import {
  type Attributes,
  type Context,
  createTraceState,
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { RequestRecord } from '../core/request-record.ts';
import type { KeyVisibility } from '../core/shown-key.ts';
import { randomFlag, type TraceContext } from '../core/trace-context.ts';
import { isFault, requestAttributes, spanName, storeAttributes, storeError } from './attributes.ts';
import type { RequestSpan } from './tracing.ts';

/** What all spans have in common. */
export interface SpanParts {
  readonly tracer: Tracer;
  readonly objectKeys: KeyVisibility;
  /** Attributes of the span of an exchange with the store. */
  readonly store: Attributes;
}

/** A SERVER span for a request, and a CLIENT span below it for the exchange with the store. Their times are those of the record. */
export class TracedRequest implements RequestSpan {
  readonly #parts: SpanParts;
  readonly #parent: TraceContext | undefined;
  readonly #startedAtMs: number;
  readonly #request: Span;
  #store: { readonly span: Span; readonly afterMs: number } | undefined;

  /** @param startedAtMs milliseconds since the Unix epoch */
  constructor(parts: SpanParts, parent: TraceContext | undefined, startedAtMs: number) {
    this.#parts = parts;
    this.#parent = parent;
    this.#startedAtMs = startedAtMs;
    const options = { kind: SpanKind.SERVER, startTime: hrTime(startedAtMs) };
    this.#request = parts.tracer.startSpan('request', options, remote(parent));
  }

  get context(): TraceContext {
    return this.#contextOf(this.#request);
  }

  askStore(afterMs: number): TraceContext {
    const { tracer, store: attributes } = this.#parts;
    const options = { kind: SpanKind.CLIENT, startTime: hrTime(this.#startedAtMs + afterMs), attributes };
    const span = tracer.startSpan('request', options, trace.setSpan(ROOT_CONTEXT, this.#request));
    this.#store = { span, afterMs };
    return this.#contextOf(span);
  }

  #contextOf(span: Span): TraceContext {
    const { traceId, spanId, traceFlags } = span.spanContext();
    const flags = traceFlags | ((this.#parent?.flags ?? 0) & randomFlag);
    return { traceId, spanId, flags, state: this.#parent?.state };
  }

  end(record: RequestRecord): void {
    this.#endStore(record);
    if (!this.#request.isRecording()) return;
    this.#request.updateName(spanName(record));
    this.#request.setAttributes(requestAttributes(record, this.#parts.objectKeys));
    if (isFault(record.status)) this.#request.setStatus({ code: SpanStatusCode.ERROR });
    this.#request.end(hrTime(this.#startedAtMs + record.durationMs));
  }

  #endStore(record: RequestRecord): void {
    if (this.#store?.span.isRecording() !== true) return;
    const { span, afterMs } = this.#store;
    span.updateName(spanName(record));
    span.setAttributes(storeAttributes(record));
    if (storeError(record) !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    const { durationMs, upstreamMs = durationMs - afterMs } = record;
    span.end(hrTime(this.#startedAtMs + afterMs + upstreamMs));
  }
}

function remote(parent: TraceContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, flags: traceFlags, state } = parent;
  const context = { traceId, spanId, traceFlags, isRemote: true };
  return trace.setSpanContext(
    ROOT_CONTEXT,
    state === undefined ? context : { ...context, traceState: createTraceState(state) },
  );
}

/** A number would be taken for one of `performance.now()` when it is small. */
function hrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000);
  return [seconds, Math.floor((epochMs - seconds * 1000) * 1e6)];
}
