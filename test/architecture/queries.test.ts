import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../scripts/dashboards.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { readQuery } from '../support/promql.ts';

/** An alert of the rules file. */
interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const text = (path: string): string => readFileSync(path, 'utf8');
const { groups } = parse(text('helm/sts-sidecar/files/alerts.yaml')) as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const queries = Object.entries(dashboards).flatMap(([name, content]) => {
  const { panels } = content() as { readonly panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [`${name}: ${title}`, forPrometheus(expr)]),
  );
});

/** What Grafana sends. */
function forPrometheus(expression: string): string {
  return expression.replace(/\$__(rate_interval|range)/g, '5m').replace(/\$(namespace|job)/g, '.*');
}

/** Labels that Prometheus gives to every series of a target. */
const targetLabels = ['namespace', 'job', 'instance'];

/** The labels of every metric, suffixes of histograms included. */
async function labelsOfMetrics(): Promise<ReadonlyMap<string, readonly string[]>> {
  const metrics = new Metrics();
  const known = new Map<string, readonly string[]>([['up', []]]);
  for (const [, name = ''] of (await metrics.render()).body.matchAll(/^# TYPE (\S+)/gm)) known.set(name, []);
  for (const { name, type, labels } of metrics.descriptions) {
    known.set(name, labels);
    if (type !== 'histogram') continue;
    known.set(`${name}_bucket`, [...labels, 'le']);
    for (const suffix of ['sum', 'count']) known.set(`${name}_${suffix}`, labels);
  }
  return known;
}

describe('queries', () => {
  it('are found', () => {
    expect(alerts.length).toBeGreaterThan(14);
    expect(queries.length).toBeGreaterThan(40);
  });

  it.each([...alerts.map(({ alert, expr }): [string, string] => [alert, expr]), ...queries])(
    'ask for metrics and labels that exist: %s',
    async (_, expression) => {
      const { selectors, grouping } = readQuery(expression);
      expect(selectors.length).toBeGreaterThan(0);
      const known = await labelsOfMetrics();
      for (const { metric, labels } of selectors) {
        expect([...known.keys()]).toContain(metric);
        expect([...targetLabels, ...(known.get(metric) ?? [])]).toEqual(expect.arrayContaining([...labels]));
      }
      const all = selectors.flatMap(({ metric }) => known.get(metric) ?? []);
      expect([...targetLabels, ...all]).toEqual(expect.arrayContaining([...grouping]));
    },
  );

  it.each([
    ['an unclosed bracket', 'sum by (a (x)'],
    ['no operand', 'rate(x[5m]) >'],
    ['no duration', 'rate(x[])'],
    ['half a matcher', 'x{a=}'],
  ])('are refused with %s', (_, expression) => {
    expect(() => readQuery(expression)).toThrow('not PromQL');
  });

  it('are read with their labels', () => {
    const facts = readQuery('sum by (a) (rate(x_total{b="1", c!~"2"}[5m])) / on (d) group_left (e) y');
    expect(facts).toEqual({
      selectors: [
        { metric: 'x_total', labels: ['b', 'c'] },
        { metric: 'y', labels: [] },
      ],
      grouping: ['a', 'd', 'e'],
    });
  });
});

describe('every alert', () => {
  const runbooks = text('docs/runbooks.md');

  it.each(alerts)('has a severity, a summary and a section in the runbooks: $alert', (alert) => {
    expect(['critical', 'warning']).toContain(alert.labels['severity']);
    expect(alert.annotations['summary']).toMatch(/\.$/);
    expect(alert.annotations['runbook_url']).toBe(`docs/runbooks.md#${alert.alert.toLowerCase()}`);
    expect(runbooks).toContain(`\n## ${alert.alert}\n`);
  });

  it('is the only kind of section there', () => {
    const sections = [...runbooks.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });
});
