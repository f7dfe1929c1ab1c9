import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { requireComponent } from './components.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';

/** The label names of every metric of the sidecar, by name; suffixes of histograms left out. */
const LABELS: Readonly<Record<string, readonly string[]>> = {
  sts_sidecar_sts_requests_total: ['action', 'code', 'provider'],
  sts_sidecar_credentials_issued_total: ['action', 'provider'],
  sts_sidecar_s3_requests_total: ['code', 'operation'],
  sts_sidecar_authz_decisions_total: ['decision', 'enforced', 'operation', 'policy_type'],
  sts_sidecar_authn_failures_total: ['reason'],
  sts_sidecar_upstream_errors_total: ['reason'],
  sts_sidecar_proxy_bytes_total: ['direction'],
  sts_sidecar_mfa_attempts_total: ['outcome'],
  sts_sidecar_state_refreshes_total: ['outcome'],
  sts_sidecar_state_last_refresh_timestamp_seconds: [],
  sts_sidecar_idp_requests_total: ['operation', 'outcome', 'provider'],
  sts_sidecar_component_ready: ['component'],
  sts_sidecar_config_reloads_total: ['outcome'],
  sts_sidecar_audit_events_total: ['outcome', 'sink'],
  sts_sidecar_trace_spans_total: ['outcome'],
  sts_sidecar_sts_request_duration_seconds: ['action'],
  sts_sidecar_s3_request_duration_seconds: ['operation'],
  sts_sidecar_s3_time_to_first_byte_seconds: ['operation'],
  sts_sidecar_upstream_request_duration_seconds: ['operation'],
  sts_sidecar_s3_added_duration_seconds: [],
  sts_sidecar_idp_request_duration_seconds: ['operation', 'provider'],
  sts_sidecar_authz_duration_seconds: [],
  sts_sidecar_requests_in_flight: ['listener'],
  sts_sidecar_unauthenticated_requests: [],
  sts_sidecar_buffered_bytes: [],
  sts_sidecar_open_connections: ['listener'],
  sts_sidecar_limit_actions_total: ['limit'],
  sts_sidecar_build_info: ['revision', 'version'],
  sts_sidecar_policies: ['kind'],
  sts_sidecar_config_last_reload_successful: [],
  sts_sidecar_jwks_last_refresh_timestamp_seconds: ['provider'],
  sts_sidecar_tls_certificate_expiry_timestamp_seconds: ['listener'],
};

/** The form of every label value, so that no part of a request can be one. */
const WORD = /^[A-Za-z0-9_.-]*$/;

type Labels = Readonly<Record<string, string>>;

interface Answer<T> {
  readonly status: string;
  readonly data: T;
}

describe('Prometheus on the admin port', () => {
  let folder: string;
  let sidecar: TestSidecar;
  let prometheus: Daemon;
  let api: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-prometheus-'));
    sidecar = await startSidecar();
    const [port = 0] = await freePorts(1);
    const configuration = join(folder, 'prometheus.yaml');
    const target = new URL(sidecar.adminUrl).host;
    await writeFile(
      configuration,
      `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: sidecar, static_configs: [{ targets: ["${target}"] }] }]
`,
    );
    prometheus = await startDaemon('prometheus', [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    api = `http://127.0.0.1:${port}/api/v1`;
    await useTheSidecar();
  });
  afterAll(async () => {
    await prometheus?.stop(5_000);
    await sidecar?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Requests that are allowed, that are denied, and that come from an unknown caller. */
  async function useTheSidecar(): Promise<void> {
    const session = await assume(sidecar.url, alice, 'data');
    const s3 = s3Client(sidecar.url, session);
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'a', Body: 'x'.repeat(1000) }));
    for (let count = 0; count < 3; count += 1) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'a' }));
      await Body?.transformToByteArray();
    }
    for (let count = 0; count < 2; count += 1) {
      const denied = s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'secret/plan' }));
      expect(await outcome(denied)).toBe('AccessDenied 403');
    }
    expect(await outcome(assume(sidecar.url, bob, 'data'))).toMatch(/^AccessDenied/);
    const forged = stsClient(sidecar.url, { ...alice, secretAccessKey: 'wrong' });
    expect(await outcome(forged.send(new GetCallerIdentityCommand({})))).toMatch(/^SignatureDoesNotMatch/);
    await stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({}));
  }

  async function query(expression: string): Promise<readonly { metric: Labels; value: number }[]> {
    const response = await fetch(`${api}/query?${new URLSearchParams({ query: expression })}`);
    const { data } = (await response.json()) as Answer<{
      result: readonly { metric: Labels; value: readonly [number, string] }[];
    }>;
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The sum that an expression has in Prometheus; none as 0. */
  const sum = async (expression: string): Promise<number> =>
    (await query(`sum(${expression})`))[0]?.value ?? 0;

  const metricsText = async (): Promise<string> => await (await fetch(`${sidecar.adminUrl}/metrics`)).text();

  /** Every series of the sidecar in the text, sorted: names and labels. Node's own come and go with its handles. */
  const seriesOf = (text: string): readonly string[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('sts_sidecar_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')))
      .sort();

  it('finds the sidecar up', async () => {
    await expect.poll(() => sum('up{job="sidecar"}'), { timeout: 30_000, interval: 500 }).toBe(1);
  });

  it.each<[string, number]>([
    ['sts_sidecar_s3_requests_total{operation="GetObject",code="200"}', 3],
    ['sts_sidecar_s3_requests_total{operation="GetObject",code="403"}', 2],
    ['sts_sidecar_s3_requests_total{operation="PutObject",code="200"}', 1],
    ['sts_sidecar_sts_requests_total{action="AssumeRole",code="200"}', 1],
    ['sts_sidecar_sts_requests_total{action="AssumeRole",code="403"}', 1],
    ['sts_sidecar_sts_requests_total{action="GetCallerIdentity",code="200"}', 1],
    ['sts_sidecar_credentials_issued_total{action="AssumeRole"}', 1],
    ['sts_sidecar_authn_failures_total{reason="signature_mismatch"}', 1],
    ['sts_sidecar_authz_decisions_total{operation="GetObject",decision="allow",enforced="true"}', 3],
    ['sts_sidecar_authz_decisions_total{operation="GetObject",decision=~".*deny.*",enforced="true"}', 2],
    ['sts_sidecar_s3_request_duration_seconds_count{operation="GetObject"}', 5],
    ['sts_sidecar_s3_time_to_first_byte_seconds_count{operation="PutObject"}', 1],
    ['sts_sidecar_upstream_request_duration_seconds_count{operation="GetObject"}', 3],
    ['sts_sidecar_sts_request_duration_seconds_count{action="AssumeRole"}', 2],
    ['sts_sidecar_build_info', 1],
    ['sts_sidecar_requests_in_flight{listener="s3"}', 0],
  ])('counts %s', async (expression, expected) => {
    await expect.poll(() => sum(expression), { timeout: 30_000, interval: 500 }).toBe(expected);
  });

  it('sees the bytes of the bodies, both ways', async () => {
    await expect
      .poll(() => sum('sts_sidecar_proxy_bytes_total{direction="in"}'), { timeout: 30_000, interval: 500 })
      .toBeGreaterThanOrEqual(1000);
    expect(await sum('sts_sidecar_proxy_bytes_total{direction="out"}')).toBeGreaterThanOrEqual(3000);
  });

  it('knows the type and help of every metric', async () => {
    const { data } = (await (await fetch(`${api}/targets/metadata`)).json()) as Answer<
      readonly { metric: string; type: string; help: string }[]
    >;
    const own = data.filter(({ metric }) => metric.startsWith('sts_sidecar_'));
    expect(own.length).toBeGreaterThan(10);
    for (const { metric, type, help } of own) {
      const expected = metric.endsWith('_total')
        ? 'counter'
        : /(duration|first_byte)_seconds$/.test(metric)
          ? 'histogram'
          : 'gauge';
      expect({ metric, type }).toEqual({ metric, type: expected });
      expect(help).not.toBe('');
    }
  });

  it('finds no undocumented metric or label', async () => {
    const ofPrometheus = ['__name__', 'instance', 'job', 'le'];
    const found = await query('{__name__=~"sts_sidecar_.+"}');
    expect(found.length).toBeGreaterThan(20);
    for (const { metric } of found) {
      const name = (metric['__name__'] ?? '').replace(/_(bucket|sum|count)$/, '');
      const labels = Object.keys(metric).filter((label) => !ofPrometheus.includes(label));
      // Prometheus drops labels whose value is empty, such as the provider of a user's request.
      const allowed = LABELS[name] ?? [];
      expect({ name, unknown: labels.filter((label) => !allowed.includes(label)) }).toEqual({
        name,
        unknown: [],
      });
      expect(Object.hasOwn(LABELS, name)).toBe(true);
      for (const label of labels) expect(metric[label]).toMatch(WORD);
    }
  });

  /** What promtool finds in a text, a line per finding, and what it exits with. */
  async function lint(text: string): Promise<{ code: number; findings: readonly string[] }> {
    return await new Promise((resolve) => {
      const child = execFile(
        requireComponent('promtool'),
        ['check', 'metrics'],
        { env: cleanEnvironment() },
        (error, stdout, stderr) => {
          const findings = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
          resolve({ code: Number(error?.code ?? 0), findings });
        },
      );
      child.stdin?.end(text);
    });
  }

  it('promtool has nothing to say about them', async () => {
    const text = await metricsText();
    expect(text.split('\n').filter((line) => line.includes('sts_sidecar_')).length).toBeGreaterThan(100);
    expect(await lint(text)).toEqual({ code: 0, findings: [] });
  });

  it('promtool does find faults where there are some', async () => {
    const { code, findings } = await lint('# TYPE sts_sidecar_x_total gauge\nsts_sidecar_x_total 1\n');
    expect(code).not.toBe(0);
    expect(findings.length).toBeGreaterThan(0);
  });

  it('finds no further series after 10,000 unknown keys, principals and queries', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    // One of each kind first, so that what is counted below is the values and not the kinds.
    await Promise.all(strangers(16).map((stranger) => send(sidecar.url, agent, stranger)));
    const before = seriesOf(await metricsText());
    const rest = strangers(10_000);
    const next = async (): Promise<void> => {
      for (let stranger = rest.pop(); stranger !== undefined; stranger = rest.pop()) {
        expect(await send(sidecar.url, agent, stranger)).toBeGreaterThanOrEqual(400);
      }
    };
    await Promise.all(Array.from({ length: 16 }, next));
    agent.destroy();
    expect(seriesOf(await metricsText())).toEqual(before);
  });

  it('finds no further series after many keys of a known caller', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data', { RoleSessionName: 'first' }));
    const once = async (Key: string): Promise<void> => {
      await s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' }));
      await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: `secret/${Key}` })));
    };
    await once('first');
    const before = seriesOf(await metricsText());
    for (let count = 0; count < 100; count += 1) {
      await once(randomBytes(8).toString('hex'));
      await assume(sidecar.url, alice, 'data', { RoleSessionName: `s-${count}` });
    }
    expect(seriesOf(await metricsText())).toEqual(before);
  });
});

interface Stranger {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

/** Requests by callers that do not exist: unsigned, with a made-up key, and for made-up STS actions and roles. */
function strangers(count: number): Stranger[] {
  const kinds: readonly ((random: string) => Stranger)[] = [
    (random) => ({ method: 'GET', path: `/bucket-${random}/${random}`, headers: {} }),
    (random) => ({
      method: 'PUT',
      path: `/data/${random}`,
      headers: signedBy(`AKIA${random.toUpperCase()}`),
    }),
    (random) => ({ method: 'GET', path: `/data/x?${random}`, headers: { 'user-agent': random } }),
    (random) => ({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `Action=${random}&Version=2011-06-15&RoleArn=${random}`,
    }),
  ];
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[index % kinds.length];
    if (kind === undefined) throw new Error('no such kind');
    return kind(randomBytes(8).toString('hex'));
  });
}

function signedBy(accessKeyId: string): OutgoingHttpHeaders {
  return {
    'x-amz-date': '20260101T000000Z',
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${'0'.repeat(64)}`,
  };
}

/** Sends it and returns the status. */
async function send(url: string, agent: Agent, { method, path, headers, body }: Stranger): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, path, headers, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
