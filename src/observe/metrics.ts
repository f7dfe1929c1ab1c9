/*
 * This folder owns the log and the metrics.
 * In: one `RequestRecord` for each finished request, and single events. Out: JSON log lines and Prometheus text.
 * A metric label never holds an object key, a principal or an access key, so that no client can make up new series.
 * The log line of a request never has a field that `log.ts` does not name.
 */

import { collectDefaultMetrics, type Gauge, Registry } from 'prom-client';
import type { RequestRecord } from '../core/request-record.ts';
import { type MetricDescription, MetricFactory } from './metric-factory.ts';
import { requestMetrics, secondsBuckets } from './request-metrics.ts';
import type { CounterTally, HistogramTally } from './tallies.ts';

/** A limit that keeps one client from using up what others need. */
export type LimitName =
  | 'unauthenticated'
  | 'in_flight'
  | 'request_rate'
  | 'buffered_bytes'
  | 'connections'
  | 'unfinished_heads'
  | 'pipelined'
  | 'tiny_records'
  | 'identity_provider';

/** Why a handshake of TLS failed. */
export type HandshakeFailure = 'not_tls' | 'timeout' | 'client_certificate' | 'protocol';

/** What is measured at the moment of a scrape. */
export interface Occupancy {
  readonly unauthenticated: number;
  readonly bufferedBytes: number;
  /** Open connections by listener. */
  readonly connections: Readonly<Record<string, number>>;
  /** The parts of readiness, of a closed list, and whether each works. */
  readonly components: ReadonlyMap<string, boolean>;
}

/** Gauges of `prom-client` that are named like counters. The gauges by type, which have the same sum, stay. */
const misnamedGauges = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The metrics of one running sidecar. */
export class Metrics {
  /** Adds one finished request. */
  readonly record: (request: RequestRecord) => void;
  /** Every metric but those of Node itself. */
  readonly descriptions: readonly MetricDescription[];
  readonly #registry = new Registry();
  readonly #limitActions: CounterTally;
  readonly #identityRequests: CounterTally;
  readonly #identitySeconds: HistogramTally;
  readonly #keysRefreshed: Gauge;
  readonly #stateRefreshes: CounterTally;
  readonly #stateRefreshed: Gauge;
  readonly #auditEvents: CounterTally;
  readonly #traceSpans: CounterTally;
  readonly #inFlight: Gauge;
  #requestsInFlight = 0;
  readonly #unauthenticated: Gauge;
  readonly #bufferedBytes: Gauge;
  readonly #connections: Gauge;
  readonly #components: Gauge;
  readonly #buildInfo: Gauge;
  readonly #policies: Gauge;
  readonly #reloads: CounterTally;
  readonly #reloadSucceeded: Gauge;
  readonly #certificateExpiry: Gauge;
  readonly #handshakeFailures: CounterTally;
  #occupancy: (() => Occupancy) | undefined;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamedGauges) this.#registry.removeSingleMetric(name);
    const factory = new MetricFactory(this.#registry);
    this.record = requestMetrics(factory);
    this.#limitActions = factory.counter(
      'limit_actions_total',
      'Requests and connections that a limit refused or displaced.',
      ['limit'],
    );
    this.#identityRequests = factory.counter('idp_requests_total', 'Requests to identity providers.', [
      'provider',
      'operation',
      'outcome',
    ]);
    this.#identitySeconds = factory.histogram(
      'idp_request_duration_seconds',
      'Time an identity provider took.',
      ['provider', 'operation'],
      secondsBuckets,
    );
    this.#keysRefreshed = factory.gauge(
      'jwks_last_refresh_timestamp_seconds',
      'Time when the signing keys of an identity provider were last fetched, Unix seconds.',
      ['provider'],
    );
    this.#stateRefreshes = factory.counter(
      'state_refreshes_total',
      'Attempts to refresh the shared state from other replicas.',
      ['outcome'],
    );
    this.#stateRefreshed = factory.gauge(
      'state_last_refresh_timestamp_seconds',
      'Time of the last successful refresh of the shared state, Unix seconds.',
    );
    this.#auditEvents = factory.counter(
      'audit_events_total',
      'Audit records that a sink has accepted, and those that are lost.',
      ['sink', 'outcome'],
    );
    this.#traceSpans = factory.counter(
      'trace_spans_total',
      'Spans that the collector has accepted, and those that are lost.',
      ['outcome'],
    );
    this.#inFlight = factory.gauge('requests_in_flight', 'Requests being answered.', ['listener']);
    this.#unauthenticated = factory.gauge(
      'unauthenticated_requests',
      'Requests in progress whose signature has not been verified yet.',
    );
    this.#bufferedBytes = factory.gauge(
      'buffered_bytes',
      'Bytes held in memory for bodies and answers that are buffered whole.',
    );
    this.#connections = factory.gauge('open_connections', 'Open client connections.', ['listener']);
    this.#components = factory.gauge(
      'component_ready',
      '1 while a part of the sidecar, or what it depends on, works; `/readyz?verbose` says why not.',
      ['component'],
    );
    this.#buildInfo = factory.gauge('build_info', 'Always 1; the labels give the version and revision.', [
      'version',
      'revision',
    ]);
    this.#policies = factory.gauge('policies', 'Policies loaded.', ['kind']);
    this.#reloads = factory.counter('config_reloads_total', 'Attempts to reload the configuration.', [
      'outcome',
    ]);
    this.#reloadSucceeded = factory.gauge(
      'config_last_reload_successful',
      '1 unless the configuration file was refused when it was last read; the last valid one is in force then.',
    );
    this.#reloadSucceeded.set(1);
    this.#certificateExpiry = factory.gauge(
      'tls_certificate_expiry_timestamp_seconds',
      'Time when the first certificate of a listener expires, Unix seconds.',
      ['listener'],
    );
    this.#handshakeFailures = factory.counter(
      'tls_handshake_failures_total',
      'TLS handshakes that failed, but for those whose client left.',
      ['listener', 'reason'],
    );
    this.descriptions = factory.descriptions;
  }

  /** Sets the gauge that never changes: the version. */
  describe(build: { readonly version: string; readonly revision: string }): void {
    this.#buildInfo.set(build, 1);
  }

  /** Counts one attempt to reload the configuration. */
  reloaded(outcome: 'success' | 'failure'): void {
    this.#reloads.add(1, outcome);
    this.#reloadSucceeded.set(outcome === 'success' ? 1 : 0);
  }

  /** Sets the number of policies of the configuration in force, by kind. */
  policiesLoaded(policies: Readonly<Record<string, number>>): void {
    for (const [kind, count] of Object.entries(policies)) this.#policies.set({ kind }, count);
  }

  /** Counts a request to the S3 listener in or out. */
  inFlight(change: 1 | -1): void {
    this.#requestsInFlight += change;
  }

  /** Counts one request or connection that a limit refused or displaced. */
  limitActed(limit: LimitName): void {
    this.#limitActions.add(1, limit);
  }

  /** Sets when the certificate of a listener expires. */
  certificateExpires(listener: string, epochSeconds: number): void {
    this.#certificateExpiry.set({ listener }, epochSeconds);
  }

  /** Counts one handshake that failed. */
  handshakeFailed(listener: string, reason: HandshakeFailure): void {
    this.#handshakeFailures.add(1, listener, reason);
  }

  /** Sets the function that is called at each scrape to measure occupancy. */
  watch(occupancy: () => Occupancy): void {
    this.#occupancy = occupancy;
  }

  /** Adds one request to an identity provider; the labels are configured names and words of fixed tables. */
  identityRequest(request: {
    readonly provider: string;
    readonly operation: string;
    readonly outcome: string;
    readonly durationSeconds: number;
  }): void {
    const { provider, operation, outcome, durationSeconds } = request;
    this.#identityRequests.add(1, provider, operation, outcome);
    this.#identitySeconds.observe(durationSeconds, provider, operation);
  }

  /** Records when the signing keys of an identity provider were fetched. */
  keysRefreshed(provider: string, epochSeconds: number): void {
    this.#keysRefreshed.set({ provider }, epochSeconds);
  }

  /** Counts one refresh of the shared state. */
  stateRefreshed(outcome: 'success' | 'failure', epochSeconds: number): void {
    this.#stateRefreshes.add(1, outcome);
    if (outcome === 'success') this.#stateRefreshed.set(epochSeconds);
  }

  /** Counts audit records that were delivered to a sink, or lost. */
  auditEvents(sink: string, outcome: 'delivered' | 'dropped', count: number): void {
    this.#auditEvents.add(count, sink, outcome);
  }

  /** Counts spans that were delivered to the collector, or lost. */
  traceSpans(outcome: 'delivered' | 'dropped', count: number): void {
    this.#traceSpans.add(count, outcome);
  }

  /** The exposition text and its content type. */
  async render(): Promise<{ body: string; contentType: string }> {
    this.#inFlight.set({ listener: 's3' }, this.#requestsInFlight);
    const occupancy = this.#occupancy?.();
    if (occupancy !== undefined) {
      this.#unauthenticated.set(occupancy.unauthenticated);
      this.#bufferedBytes.set(occupancy.bufferedBytes);
      for (const [listener, count] of Object.entries(occupancy.connections)) {
        this.#connections.set({ listener }, count);
      }
      for (const [component, works] of occupancy.components)
        this.#components.set({ component }, works ? 1 : 0);
    }
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}
