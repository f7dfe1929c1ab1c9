/*
 * This folder owns the log and the metrics.
 * In: one `RequestRecord` for each finished request, and single events. Out: JSON log lines and Prometheus text.
 * A metric label never holds an object key, a principal or an access key, so that no client can make up new series.
 * The log line of a request never has a field that `log.ts` does not name.
 */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestRecord } from '../core/request-record.ts';

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const decisionBuckets = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2];

/** Every counter: name without prefix → help and labels. Labels never come from a key, principal or access key. */
const counters = {
  sts_requests_total: ['STS requests by action and HTTP status.', ['action', 'provider', 'code']],
  credentials_issued_total: ['Temporary credentials issued.', ['action', 'provider']],
  s3_requests_total: ['S3 requests by operation and HTTP status.', ['operation', 'code']],
  authz_decisions_total: ['Authorization decisions.', ['operation', 'decision', 'policy_type', 'enforced']],
  authn_failures_total: ['Requests whose caller could not be authenticated.', ['reason']],
  upstream_errors_total: ['Requests that failed at the store or on the way to it.', ['reason']],
  idp_requests_total: ['Requests to identity providers.', ['provider', 'operation', 'outcome']],
  mfa_attempts_total: ['Attempts to use an MFA code.', ['outcome']],
  state_refreshes_total: ['Attempts to refresh the shared state from other replicas.', ['outcome']],
  proxy_bytes_total: ['Body bytes passed through.', ['direction']],
  limit_actions_total: ['Requests and connections that a limit refused or displaced.', ['limit']],
} as const satisfies Record<string, readonly [string, readonly string[]]>;

/** Every histogram: name without prefix → help, labels and buckets, in seconds. */
const histograms = {
  sts_request_duration_seconds: ['Time to answer an STS request.', ['action'], secondsBuckets],
  s3_request_duration_seconds: ['Time to answer an S3 request.', ['operation'], secondsBuckets],
  s3_time_to_first_byte_seconds: ['Time to the first byte of an S3 answer.', ['operation'], secondsBuckets],
  upstream_request_duration_seconds: ['Time the store took.', ['operation'], secondsBuckets],
  idp_request_duration_seconds: [
    'Time an identity provider took.',
    ['provider', 'operation'],
    secondsBuckets,
  ],
  authz_duration_seconds: ['Time of one authorization decision.', [], decisionBuckets],
} as const satisfies Record<string, readonly [string, readonly string[], readonly number[]]>;

/** Every gauge: name without prefix → help and labels. */
const gauges = {
  requests_in_flight: ['Requests being answered.', ['listener']],
  unauthenticated_requests: ['Requests in progress whose signature has not been verified yet.', []],
  buffered_bytes: ['Bytes held in memory for bodies and answers that are buffered whole.', []],
  open_connections: ['Open client connections.', ['listener']],
  build_info: ['Always 1; the labels give the version and revision.', ['version', 'revision']],
  policies: ['Policies loaded.', ['kind']],
  state_last_refresh_timestamp_seconds: [
    'Time of the last successful refresh of the shared state, Unix seconds.',
    [],
  ],
  jwks_last_refresh_timestamp_seconds: [
    'Time when the signing keys of an identity provider were last fetched, Unix seconds.',
    ['provider'],
  ],
} as const satisfies Record<string, readonly [string, readonly string[]]>;

const prefix = 'sts_sidecar_';

/** A limit that keeps one client from using up what others need. */
export type LimitName =
  | 'unauthenticated'
  | 'in_flight'
  | 'buffered_bytes'
  | 'connections'
  | 'unfinished_heads'
  | 'pipelined'
  | 'identity_provider';

/** What is measured at the moment of a scrape. */
export interface Occupancy {
  readonly unauthenticated: number;
  readonly bufferedBytes: number;
  /** Open connections by listener. */
  readonly connections: Readonly<Record<string, number>>;
}

/** Gauges of `prom-client` that are named like counters. The gauges by type, which have the same sum, stay. */
const misnamedGauges = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The metrics of one running sidecar. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters: Record<keyof typeof counters, Counter>;
  readonly #histograms: Record<keyof typeof histograms, Histogram>;
  readonly #gauges: Record<keyof typeof gauges, Gauge>;
  #occupancy: (() => Occupancy) | undefined;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamedGauges) this.#registry.removeSingleMetric(name);
    this.#counters = mapTable(counters, (name, [help, labelNames]) => {
      return new Counter({ name: prefix + name, help, labelNames, registers });
    });
    this.#histograms = mapTable(histograms, (name, [help, labelNames, buckets]) => {
      return new Histogram({ name: prefix + name, help, labelNames, buckets: [...buckets], registers });
    });
    this.#gauges = mapTable(gauges, (name, [help, labelNames]) => {
      return new Gauge({ name: prefix + name, help, labelNames, registers });
    });
  }

  /** Sets the gauges that never change: the version, and the number of policies. */
  describe(build: { version: string; revision: string }, policies: Readonly<Record<string, number>>): void {
    this.#gauges.build_info.set(build, 1);
    for (const [kind, count] of Object.entries(policies)) this.#gauges.policies.set({ kind }, count);
  }

  /** Counts a request in or out on a listener. */
  inFlight(listener: 's3' | 'admin', change: 1 | -1): void {
    this.#gauges.requests_in_flight.inc({ listener }, change);
  }

  /** Counts one request or connection that a limit refused or displaced. */
  limitActed(limit: LimitName): void {
    this.#counters.limit_actions_total.inc({ limit });
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
    this.#counters.idp_requests_total.inc({ provider, operation, outcome });
    this.#histograms.idp_request_duration_seconds.observe({ provider, operation }, durationSeconds);
  }

  /** Records when the signing keys of an identity provider were fetched. */
  keysRefreshed(provider: string, epochSeconds: number): void {
    this.#gauges.jwks_last_refresh_timestamp_seconds.set({ provider }, epochSeconds);
  }

  /** Counts one refresh of the shared state. */
  stateRefreshed(outcome: 'success' | 'failure', epochSeconds: number): void {
    this.#counters.state_refreshes_total.inc({ outcome });
    if (outcome === 'success') this.#gauges.state_last_refresh_timestamp_seconds.set(epochSeconds);
  }

  /** Adds one finished request. */
  record(request: RequestRecord): void {
    if (request.service === 'sts') this.#recordSts(request);
    else this.#recordS3(request);
    if (request.authenticationFailure !== undefined) {
      this.#counters.authn_failures_total.inc({ reason: request.authenticationFailure });
    }
    const { decision, operation } = request;
    if (decision !== undefined) {
      this.#counters.authz_decisions_total.inc({
        operation,
        decision: decision.decision,
        policy_type: decision.policyType,
        enforced: String(decision.isEnforced),
      });
      this.#histograms.authz_duration_seconds.observe(decision.durationUs / 1e6);
    }
  }

  #recordSts(request: RequestRecord): void {
    const { operation, status, durationMs, issuedCredentials, identityProvider, mfaOutcome } = request;
    const labels = { action: operation, provider: identityProvider ?? '' };
    this.#counters.sts_requests_total.inc({ ...labels, code: String(status) });
    this.#histograms.sts_request_duration_seconds.observe({ action: operation }, durationMs / 1000);
    if (issuedCredentials === true) this.#counters.credentials_issued_total.inc(labels);
    if (mfaOutcome !== undefined) this.#counters.mfa_attempts_total.inc({ outcome: mfaOutcome });
  }

  #recordS3(request: RequestRecord): void {
    const { operation, upstreamMs, firstByteMs } = request;
    this.#counters.s3_requests_total.inc({ operation, code: String(request.status) });
    this.#histograms.s3_request_duration_seconds.observe({ operation }, request.durationMs / 1000);
    this.#counters.proxy_bytes_total.inc({ direction: 'in' }, request.bytesIn);
    this.#counters.proxy_bytes_total.inc({ direction: 'out' }, request.bytesOut);
    if (firstByteMs !== undefined) {
      this.#histograms.s3_time_to_first_byte_seconds.observe({ operation }, firstByteMs / 1000);
    }
    if (upstreamMs !== undefined) {
      this.#histograms.upstream_request_duration_seconds.observe({ operation }, upstreamMs / 1000);
    }
    if (request.upstreamFailure !== undefined) {
      this.#counters.upstream_errors_total.inc({ reason: request.upstreamFailure });
    }
  }

  /** The exposition text and its content type. */
  async render(): Promise<{ body: string; contentType: string }> {
    const occupancy = this.#occupancy?.();
    if (occupancy !== undefined) {
      this.#gauges.unauthenticated_requests.set(occupancy.unauthenticated);
      this.#gauges.buffered_bytes.set(occupancy.bufferedBytes);
      for (const [listener, count] of Object.entries(occupancy.connections)) {
        this.#gauges.open_connections.set({ listener }, count);
      }
    }
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}

function mapTable<const T extends Record<string, unknown>, V>(
  table: T,
  create: (name: string, row: T[keyof T]) => V,
): Record<keyof T, V> {
  const created = Object.entries(table).map(([name, row]) => [name, create(name, row as T[keyof T])]);
  return Object.fromEntries(created) as Record<keyof T, V>;
}
