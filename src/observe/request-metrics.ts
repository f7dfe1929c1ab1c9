import type { RequestRecord } from '../core/request-record.ts';
import type { MetricFactory } from './metric-factory.ts';
import type { CounterTally, HistogramTally } from './tallies.ts';

/** Upper bounds in seconds. */
export const secondsBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
const decisionBuckets = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2];

/** Adds a finished request to a metric, unless it has nothing to add. */
type Record<M> = (metric: M, request: RequestRecord) => void;
type CounterRow = readonly [
  name: string,
  help: string,
  labels: readonly string[],
  record: Record<CounterTally>,
];
type HistogramRow = readonly [
  name: string,
  help: string,
  labels: readonly string[],
  buckets: readonly number[],
  record: Record<HistogramTally>,
];

const counters: readonly CounterRow[] = [
  [
    'sts_requests_total',
    'STS requests by action and HTTP status.',
    ['action', 'provider', 'code'],
    (metric, request) => {
      if (!isSts(request)) return;
      metric.add(1, request.operation, request.identityProvider ?? '', String(request.status));
    },
  ],
  [
    'credentials_issued_total',
    'Temporary credentials issued.',
    ['action', 'provider'],
    (metric, request) => {
      if (request.issuedCredentials !== true) return;
      metric.add(1, request.operation, request.identityProvider ?? '');
    },
  ],
  [
    's3_requests_total',
    'S3 requests by operation and HTTP status.',
    ['operation', 'code'],
    (metric, request) => {
      if (!isSts(request)) metric.add(1, request.operation, String(request.status));
    },
  ],
  [
    'authz_decisions_total',
    'Authorization decisions.',
    ['operation', 'decision', 'policy_type', 'enforced'],
    (metric, { operation, decision }) => {
      if (decision === undefined) return;
      const { policyType, isEnforced } = decision;
      metric.add(1, operation, decision.decision, policyType, String(isEnforced));
    },
  ],
  [
    'authn_failures_total',
    'Requests whose caller could not be authenticated.',
    ['reason'],
    (metric, { authenticationFailure: reason }) => {
      if (reason !== undefined) metric.add(1, reason);
    },
  ],
  [
    'upstream_errors_total',
    'Requests that failed at the store or on the way to it.',
    ['reason'],
    (metric, { upstreamFailure: reason }) => {
      if (reason !== undefined) metric.add(1, reason);
    },
  ],
  [
    'mfa_attempts_total',
    'Attempts to use an MFA code.',
    ['outcome'],
    (metric, { mfaOutcome: outcome }) => {
      if (outcome !== undefined) metric.add(1, outcome);
    },
  ],
  [
    'proxy_bytes_total',
    'Body bytes passed through.',
    ['direction'],
    (metric, request) => {
      if (isSts(request)) return;
      metric.add(request.bytesIn, 'in');
      metric.add(request.bytesOut, 'out');
    },
  ],
];

const histograms: readonly HistogramRow[] = [
  [
    'sts_request_duration_seconds',
    'Time to answer an STS request.',
    ['action'],
    secondsBuckets,
    (metric, request) => {
      if (isSts(request)) metric.observe(request.durationMs / 1000, request.operation);
    },
  ],
  [
    's3_request_duration_seconds',
    'Time to answer an S3 request.',
    ['operation'],
    secondsBuckets,
    (metric, request) => {
      if (!isSts(request)) metric.observe(request.durationMs / 1000, request.operation);
    },
  ],
  [
    's3_time_to_first_byte_seconds',
    'Time to the first byte of an S3 answer.',
    ['operation'],
    secondsBuckets,
    (metric, request) => {
      const { operation, firstByteMs } = request;
      if (!isSts(request) && firstByteMs !== undefined) metric.observe(firstByteMs / 1000, operation);
    },
  ],
  [
    'upstream_request_duration_seconds',
    'Time the store took.',
    ['operation'],
    secondsBuckets,
    (metric, request) => {
      const { operation, upstreamMs } = request;
      if (!isSts(request) && upstreamMs !== undefined) metric.observe(upstreamMs / 1000, operation);
    },
  ],
  [
    's3_added_duration_seconds',
    'Time the sidecar itself took for an S3 request: all but the exchange with the store.',
    [],
    secondsBuckets,
    (metric, request) => {
      const { durationMs, upstreamMs } = request;
      if (!isSts(request) && upstreamMs !== undefined) metric.observe((durationMs - upstreamMs) / 1000);
    },
  ],
  [
    'authz_duration_seconds',
    'Time of one authorization decision.',
    [],
    decisionBuckets,
    (metric, { decision }) => {
      if (decision !== undefined) metric.observe(decision.durationUs / 1e6);
    },
  ],
];

/** Registers every metric that finished requests are added to, and returns what adds one to all of them. */
export function requestMetrics(factory: MetricFactory): (request: RequestRecord) => void {
  const additions = [
    ...counters.map(([name, help, labels, record]) => {
      const metric = factory.counter(name, help, labels);
      return (request: RequestRecord) => record(metric, request);
    }),
    ...histograms.map(([name, help, labels, buckets, record]) => {
      const metric = factory.histogram(name, help, labels, buckets);
      return (request: RequestRecord) => record(metric, request);
    }),
  ];
  return (request) => {
    for (const add of additions) add(request);
  };
}

function isSts({ service }: RequestRecord): boolean {
  return service === 'sts';
}
