/*
 * This folder owns the spans of requests, and is the only one that knows OpenTelemetry.
 * In: the trace context that a request came with, and its `RequestRecord` at the end. Out: spans, exported by OTLP over HTTP.
 * `open-telemetry.ts` is loaded only when an endpoint is configured. This file has no code, and may be imported by anyone.
 * A span never has a query, a header but `User-Agent`, or a message; the tables of `attributes.ts` name all that it has.
 * Neither a request nor the end of the program ever waits for a collector longer than it is told to.
 */

import type { Clock } from '../core/clock.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Secret } from '../core/secret.ts';
import type { KeyVisibility } from '../core/shown-key.ts';
import type { TraceContext } from '../core/trace-context.ts';

/** The samplers of the OpenTelemetry specification that need nothing but a ratio. */
export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';

/** Where spans go, and which. */
export interface TracingSettings {
  /** The URL to which they are posted, http or https. */
  readonly url: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly headers: Readonly<Record<string, Secret>>;
  /** PEM of the authorities that are trusted instead of the public ones. */
  readonly caPem: string | undefined;
  /** PEM of what the collector is shown; both or none. */
  readonly certPem: string | undefined;
  readonly keyPem: Secret | undefined;
  /** Attributes of the resource beside `service.name`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sampler: SamplerName;
  /** 0 to 1; for samplers by ratio. */
  readonly ratio: number;
}

/** What becomes of spans. */
export interface SpanReports {
  count(outcome: 'delivered' | 'dropped', count: number): void;
  warn(message: string, facts: Readonly<Record<string, unknown>>): void;
}

/** What spans are made with. */
export interface TracingParts {
  readonly settings: TracingSettings;
  /** The URL of the store. */
  readonly store: string;
  /** Of the sidecar; `service.version`. */
  readonly version: string;
  readonly objectKeys: KeyVisibility;
  readonly clock: Clock;
  readonly reports: SpanReports;
}

/** Makes the spans of requests. */
export interface Tracing {
  /**
   * Begins the span of a request.
   * @param parent where it comes from; without it a new trace begins
   * @param sinceMs how long ago it arrived
   */
  begin(parent: TraceContext | undefined, sinceMs: number): RequestSpan;
  /** Exports what is left, for that long at most; what is not accepted by then is lost. */
  stop(deadlineMs: number): Promise<void>;
}

/** The span of one request, whether it is sampled or not. */
export interface RequestSpan {
  /** The context of what is done for the request. */
  readonly context: TraceContext;
  /**
   * Begins the span of its exchange with the store.
   * @param afterMs since the request arrived
   * @returns the context that the store's spans belong to
   */
  askStore(afterMs: number): TraceContext;
  /** Ends both spans. */
  end(record: RequestRecord): void;
}
