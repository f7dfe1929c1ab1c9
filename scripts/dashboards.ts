/*
 * The dashboards for Grafana that the chart ships. Each row is a panel; `series` selects a metric of the chosen sidecars.
 * test/architecture/queries.test.ts compares every query with the metrics.
 */

/** What the y axis shows; the name of a unit of Grafana. */
type Unit = 'reqps' | 'ops' | 's' | 'bytes' | 'Bps' | 'percentunit' | 'short' | 'dateTimeFromNow';

interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** Legend and expression of each line. */
  readonly queries: readonly (readonly [legend: string, expression: string])[];
  /** A number instead of a graph. */
  readonly isNumber?: boolean;
}

/** The parts of a dashboard by their headings. */
type Dashboard = Readonly<Record<string, readonly Panel[]>>;

function series(metric: string, ...matchers: readonly string[]): string {
  return `${metric}{${['namespace=~"$namespace"', 'job=~"$job"', ...matchers].join(', ')}}`;
}

/** Events per second, of the metric named without its prefix. */
function rate(metric: string, by: string, ...matchers: readonly string[]): string {
  return `sum by (${by}) (rate(${series(`sts_sidecar_${metric}`, ...matchers)}[$__rate_interval]))`;
}

/** The 50th and the 99th percentile of a histogram. */
function percentiles(metric: string, ...matchers: readonly string[]): Panel['queries'] {
  return [0.5, 0.99].map((quantile) => [
    `p${quantile * 100}`,
    `histogram_quantile(${quantile}, ${rate(`${metric}_bucket`, 'le', ...matchers)})`,
  ]);
}

const operations: Dashboard = {
  Overview: [
    {
      title: 'Sidecars',
      unit: 'short',
      isNumber: true,
      queries: [['{{version}}', `count by (version) (${series('sts_sidecar_build_info')})`]],
    },
    {
      title: 'Configuration refused',
      unit: 'short',
      isNumber: true,
      queries: [
        ['sidecars', `count(${series('sts_sidecar_config_last_reload_successful')} == 0) or vector(0)`],
      ],
    },
    {
      title: 'First certificate expires',
      unit: 'dateTimeFromNow',
      isNumber: true,
      queries: [
        [
          '{{listener}}',
          `min by (listener) (${series('sts_sidecar_tls_certificate_expiry_timestamp_seconds')}) * 1000`,
        ],
      ],
    },
    {
      title: 'Audit records lost',
      unit: 'short',
      isNumber: true,
      queries: [
        [
          '{{sink}}',
          `sum by (sink) (increase(${series('sts_sidecar_audit_events_total', 'outcome!="delivered"')}[$__range]))`,
        ],
      ],
    },
  ],
  Requests: [
    { title: 'S3 requests', unit: 'reqps', queries: [['{{code}}', rate('s3_requests_total', 'code')]] },
    { title: 'STS requests', unit: 'reqps', queries: [['{{code}}', rate('sts_requests_total', 'code')]] },
    {
      title: 'Server faults',
      unit: 'percentunit',
      queries: [
        [
          'S3',
          `sum(rate(${series('sts_sidecar_s3_requests_total', 'code=~"5.."')}[$__rate_interval])) / sum(rate(${series('sts_sidecar_s3_requests_total')}[$__rate_interval]))`,
        ],
      ],
    },
    {
      title: 'Bytes of bodies',
      unit: 'Bps',
      queries: [['{{direction}}', rate('proxy_bytes_total', 'direction')]],
    },
  ],
  Latency: [
    {
      title: 'Added by the sidecar',
      unit: 's',
      queries: percentiles('s3_added_duration_seconds'),
    },
    { title: 'First byte', unit: 's', queries: percentiles('s3_time_to_first_byte_seconds') },
    { title: 'Whole S3 request', unit: 's', queries: percentiles('s3_request_duration_seconds') },
    { title: 'STS request', unit: 's', queries: percentiles('sts_request_duration_seconds') },
  ],
  'Store and identity providers': [
    {
      title: 'Exchange with the store',
      unit: 's',
      queries: percentiles('upstream_request_duration_seconds'),
    },
    {
      title: 'Errors of the store',
      unit: 'ops',
      queries: [['{{reason}}', rate('upstream_errors_total', 'reason')]],
    },
    {
      title: 'Requests to identity providers',
      unit: 'ops',
      queries: [['{{provider}} {{outcome}}', rate('idp_requests_total', 'provider, outcome')]],
    },
    {
      title: 'Time of identity providers',
      unit: 's',
      queries: percentiles('idp_request_duration_seconds'),
    },
    {
      title: 'Age of signing keys',
      unit: 's',
      queries: [
        [
          '{{provider}}',
          `time() - min by (provider) (${series('sts_sidecar_jwks_last_refresh_timestamp_seconds')})`,
        ],
      ],
    },
    {
      title: 'Refreshes of the shared state',
      unit: 'ops',
      queries: [['{{outcome}}', rate('state_refreshes_total', 'outcome')]],
    },
  ],
  Limits: [
    { title: 'Limits acting', unit: 'ops', queries: [['{{limit}}', rate('limit_actions_total', 'limit')]] },
    {
      title: 'Requests in progress',
      unit: 'short',
      queries: [
        [
          '{{instance}} authenticated',
          `sum by (instance) (${series('sts_sidecar_requests_in_flight')}) - sum by (instance) (${series('sts_sidecar_unauthenticated_requests')})`,
        ],
        [
          '{{instance}} unauthenticated',
          `sum by (instance) (${series('sts_sidecar_unauthenticated_requests')})`,
        ],
      ],
    },
    {
      title: 'Open connections',
      unit: 'short',
      queries: [
        [
          '{{instance}} {{listener}}',
          `sum by (instance, listener) (${series('sts_sidecar_open_connections')})`,
        ],
      ],
    },
    {
      title: 'Buffered bytes',
      unit: 'bytes',
      queries: [['{{instance}}', `sum by (instance) (${series('sts_sidecar_buffered_bytes')})`]],
    },
  ],
  Process: [
    {
      title: 'Event loop delay, p99',
      unit: 's',
      queries: [['{{instance}}', series('nodejs_eventloop_lag_p99_seconds')]],
    },
    {
      title: 'Processor time',
      unit: 'percentunit',
      queries: [['{{instance}}', `rate(${series('process_cpu_seconds_total')}[$__rate_interval])`]],
    },
    {
      title: 'Memory',
      unit: 'bytes',
      queries: [
        ['{{instance}} resident', series('process_resident_memory_bytes')],
        ['{{instance}} heap', series('nodejs_heap_size_used_bytes')],
      ],
    },
    {
      title: 'Reloads',
      unit: 'short',
      queries: [
        [
          '{{outcome}}',
          `sum by (outcome) (increase(${series('sts_sidecar_config_reloads_total')}[$__rate_interval]))`,
        ],
      ],
    },
  ],
};

const denied = 'decision=~"deny|error"';

const access: Dashboard = {
  Decisions: [
    {
      title: 'Decisions',
      unit: 'reqps',
      queries: [['{{decision}}', rate('authz_decisions_total', 'decision', 'enforced="true"')]],
    },
    {
      title: 'Denied share',
      unit: 'percentunit',
      queries: [
        [
          'denied',
          `sum(rate(${series('sts_sidecar_authz_decisions_total', denied, 'enforced="true"')}[$__rate_interval])) / sum(rate(${series('sts_sidecar_authz_decisions_total')}[$__rate_interval]))`,
        ],
      ],
    },
    {
      title: 'Denials by operation',
      unit: 'reqps',
      queries: [
        [
          '{{operation}}',
          `topk(10, ${rate('authz_decisions_total', 'operation', denied, 'enforced="true"')})`,
        ],
      ],
    },
    {
      title: 'Denials by kind of policy',
      unit: 'reqps',
      queries: [['{{policy_type}}', rate('authz_decisions_total', 'policy_type', denied, 'enforced="true"')]],
    },
    {
      title: 'Denials that audit mode lets through',
      unit: 'reqps',
      queries: [['{{operation}}', rate('authz_decisions_total', 'operation', denied, 'enforced="false"')]],
    },
    { title: 'Time of a decision', unit: 's', queries: percentiles('authz_duration_seconds') },
    {
      title: 'Policies',
      unit: 'short',
      queries: [['{{kind}}', `max by (kind) (${series('sts_sidecar_policies')})`]],
    },
  ],
  Authentication: [
    {
      title: 'Failures',
      unit: 'reqps',
      queries: [['{{reason}}', rate('authn_failures_total', 'reason')]],
    },
    {
      title: 'Attempts to use an MFA code',
      unit: 'ops',
      queries: [['{{outcome}}', rate('mfa_attempts_total', 'outcome')]],
    },
  ],
  Credentials: [
    {
      title: 'Issued by action',
      unit: 'ops',
      queries: [['{{action}}', rate('credentials_issued_total', 'action')]],
    },
    {
      title: 'Issued by provider',
      unit: 'ops',
      queries: [['{{provider}}', rate('credentials_issued_total', 'provider', 'provider!=""')]],
    },
    {
      title: 'Refused calls of STS',
      unit: 'reqps',
      queries: [['{{action}} {{code}}', rate('sts_requests_total', 'action, code', 'code!="200"')]],
    },
  ],
  Operations: [
    {
      title: 'S3 requests by operation',
      unit: 'reqps',
      queries: [['{{operation}}', `topk(10, ${rate('s3_requests_total', 'operation')})`]],
    },
    {
      title: 'Audit records',
      unit: 'ops',
      queries: [['{{sink}} {{outcome}}', rate('audit_events_total', 'sink, outcome')]],
    },
  ],
};

/** Each dashboard as Grafana imports it, by its name. */
export const dashboards: Readonly<Record<string, () => object>> = {
  operations: () => dashboard('operations', operations),
  access: () => dashboard('access', access),
};

const datasource = { type: 'prometheus', uid: '$datasource' };
/** Of the 24 columns of a dashboard. */
const width = 6;
const height = 8;

function dashboard(name: string, rows: Dashboard): object {
  const panels: object[] = [];
  let y = 0;
  for (const [heading, content] of Object.entries(rows)) {
    panels.push({ id: panels.length + 1, type: 'row', title: heading, gridPos: { x: 0, y, w: 24, h: 1 } });
    y += 1;
    for (const [index, panel] of content.entries()) {
      const x = (index * width) % 24;
      if (index > 0 && x === 0) y += height;
      const gridPos = { x, y, w: width, h: height };
      panels.push({ id: panels.length + 1, ...panelOf(panel), gridPos });
    }
    y += height;
  }
  return {
    uid: `sts-sidecar-${name}`,
    title: `sts-sidecar / ${name}`,
    tags: ['sts-sidecar'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }, ...variables] },
    panels,
  };
}

const variables = ['namespace', 'job'].map((name) => ({
  name,
  type: 'query',
  datasource,
  query: `label_values(sts_sidecar_build_info, ${name})`,
  refresh: 2,
  includeAll: true,
  multi: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
}));

function panelOf({ title, unit, queries, isNumber = false }: Panel): object {
  return {
    type: isNumber ? 'stat' : 'timeseries',
    title,
    datasource,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat,
      ...(isNumber ? { instant: true } : {}),
    })),
  };
}
