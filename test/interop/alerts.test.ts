import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../scripts/dashboards.ts';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { type Daemon, runTool, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';

const rulesFile = 'helm/sts-sidecar/files/alerts.yaml';
const unitTests = 'test/interop/alerts.test.yaml';

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts?: readonly object[];
    }[];
  }[];
}

async function alertNames(): Promise<string[]> {
  const { groups } = parse(await readFile(rulesFile, 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[];
  };
  return groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
}

describe('the alerts', () => {
  it('are rules that Prometheus takes', async () => {
    expect(await runTool('promtool', ['check', 'rules', rulesFile])).toContain('SUCCESS: 17 rules found');
  });

  it('pass their unit tests', async () => {
    expect(await runTool('promtool', ['test', 'rules', unitTests], 120_000)).toContain('SUCCESS');
  });

  it('each have a unit test in which they fire', async () => {
    const { tests } = parse(await readFile(unitTests, 'utf8')) as RuleTests;
    const fired = tests
      .flatMap(({ alert_rule_test }) => alert_rule_test)
      .filter(({ exp_alerts = [] }) => exp_alerts.length > 0);
    const names = await alertNames();
    expect([...new Set(fired.map(({ alertname }) => alertname))].toSorted()).toEqual(names.toSorted());
  });
});

/** The rules without the time that they wait, and with seconds for minutes. */
async function hastyRules(): Promise<string> {
  const text = await readFile(rulesFile, 'utf8');
  return text
    .replace(/^ +for: .*\n/gm, '')
    .replace(/\[\d+m\]/g, '[15s]')
    .replace(/offset \d+m/g, 'offset 15s');
}

describe('Prometheus with the alerts and a sidecar with faults', () => {
  let folder: string;
  let healthy: TestSidecar;
  let storeless: TestSidecar;
  let prometheus: Daemon;
  let api: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-alerts-'));
    const [port = 0, nothing = 0] = await freePorts(2);
    const endpoint = `http://127.0.0.1:${nothing}`;
    healthy = await startSidecar();
    storeless = await startSidecar({
      backend: { endpoint, accessKeyId: 'STOREKEY', secretAccessKey: 'of-no-store' },
    });
    await writeFile(join(folder, 'alerts.yaml'), await hastyRules());
    const target = (job: string, { adminUrl }: TestSidecar): object => ({
      job_name: job,
      static_configs: [{ targets: [new URL(adminUrl).host] }],
    });
    const configuration = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yaml'],
      scrape_configs: [target('healthy', healthy), target('storeless', storeless)],
    };
    await writeFile(join(folder, 'prometheus.yaml'), JSON.stringify(configuration));
    prometheus = await startDaemon('prometheus', [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    api = `http://127.0.0.1:${port}/api/v1`;
  });
  afterAll(async () => {
    await prometheus?.stop(5_000);
    await healthy?.stop();
    await storeless?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function query(expression: string): Promise<{ status: string; jobs: string[] }> {
    const response = await fetch(`${api}/query?${new URLSearchParams({ query: expression })}`);
    const { status, data } = (await response.json()) as {
      readonly status: string;
      readonly data?: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] };
    };
    const { result = [] } = data ?? {};
    return { status, jobs: result.map(({ metric }) => metric['job'] ?? '') };
  }

  /** The jobs for which an alert fires. */
  const firing = async (alert: string): Promise<string[]> =>
    (await query(`ALERTS{alertname="${alert}", alertstate="firing"}`).catch(() => ({ jobs: [] }))).jobs;

  /** Repeats what goes wrong until an alert fires, for that job alone. */
  async function expectAlert(alert: string, job: string, fault: () => Promise<unknown>): Promise<void> {
    const once = async (): Promise<string[]> => {
      await Promise.all(Array.from({ length: 8 }, fault));
      return [...new Set(await firing(alert))];
    };
    await expect.poll(once, { timeout: 60_000, interval: 500 }).toEqual([job]);
  }

  it('are quiet while everything is well', async () => {
    const s3 = s3Client(healthy.url, await assume(healthy.url, alice, 'data'));
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    const scraped = async (): Promise<number> => {
      await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'a', Body: 'x' }));
      const { jobs } = await query('count_over_time(sts_sidecar_s3_requests_total[15s]) > 5').catch(() => ({
        jobs: [],
      }));
      return jobs.length;
    };
    await expect.poll(scraped, { timeout: 60_000, interval: 500 }).toBeGreaterThan(0);
    expect(
      (await query('ALERTS{alertname!="StsSidecarEventLoopDelayed", alertname!="StsSidecarSlow"}')).jobs,
    ).toEqual([]);
  });

  it('report denials', async () => {
    const s3 = s3Client(healthy.url, await assume(healthy.url, alice, 'data'));
    const denied = async (): Promise<void> => {
      const read = s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'secret/plan' }));
      expect(await outcome(read)).toBe('AccessDenied 403');
    };
    await expectAlert('StsSidecarDenialSpike', 'healthy', denied);
  });

  it('report wrong signatures', async () => {
    const forger = stsClient(healthy.url, { ...alice, secretAccessKey: 'wrong' });
    const forged = (): Promise<string> => outcome(forger.send(new GetCallerIdentityCommand({})));
    await expectAlert('StsSidecarAuthenticationFailureSpike', 'healthy', forged);
  });

  it('report a store that is away', async () => {
    const s3 = s3Client(storeless.url, await assume(storeless.url, alice, 'data'));
    const failed = (): Promise<string> =>
      outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'a' })));
    await expectAlert('StsSidecarStoreUnreachable', 'storeless', failed);
    await expectAlert('StsSidecarUpstreamErrors', 'storeless', failed);
  });

  it('report a reload that failed, until one succeeds', async () => {
    healthy.reload({ directory: 'directory: { surprise: 1 }' });
    await expectAlert('StsSidecarReloadFailed', 'healthy', () => Promise.resolve());
    healthy.reload({});
    await expect.poll(() => firing('StsSidecarReloadFailed'), { timeout: 60_000, interval: 500 }).toEqual([]);
  });

  it('report a sidecar that has gone', async () => {
    await storeless.stop();
    await expectAlert('StsSidecarDown', 'storeless', () => Promise.resolve());
  });

  it('come with dashboards whose queries Prometheus answers', async () => {
    const expressions = Object.values(dashboards).flatMap((content) =>
      [...JSON.stringify(content()).matchAll(/"expr":("(?:[^"\\]|\\.)*")/g)].map(
        ([, text = '""']) => JSON.parse(text) as string,
      ),
    );
    expect(expressions.length).toBeGreaterThan(40);
    let answered = 0;
    for (const expression of expressions) {
      const asked = expression
        .replace(/\$__(rate_interval|range)/g, '1m')
        .replace(/\$(namespace|job)/g, '.*');
      const { status, jobs } = await query(asked);
      expect({ asked, status }).toEqual({ asked, status: 'success' });
      if (jobs.length > 0) answered += 1;
    }
    expect(answered).toBeGreaterThan(20);
  });
});
