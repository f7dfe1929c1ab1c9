import { Counter, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { CounterTally, HistogramTally, register } from '../../src/observe/tallies.ts';

const labelNames = ['operation', 'code'];
const bounds = [0.1, 1, 10];
const observed: readonly (readonly [amount: number, operation: string, code: string])[] = [
  [0.05, 'GetObject', '200'],
  [0.1, 'GetObject', '200'],
  [0.1000001, 'GetObject', '403'],
  [10, 'PutObject', '200'],
  [11, 'PutObject', '200'],
  [0, 'a "quoted"\\name', '\n'],
];

/** A series in a form that does not depend on the order of its labels. */
function series(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`))
    .sort();
}

async function asPromClient(register: (registry: Registry) => void): Promise<readonly string[]> {
  const registry = new Registry();
  register(registry);
  return series(await registry.metrics());
}

describe('a scrape finds what prom-client itself would write', () => {
  const description = { name: 'metric', help: 'A metric.', labelNames };

  it('of a counter', async () => {
    const tally = new CounterTally(description);
    for (const [amount, ...values] of observed) tally.add(amount, ...values);
    const registry = new Registry();
    register(registry, tally);
    const expected = await asPromClient((other) => {
      const counter = new Counter({ ...description, registers: [other] });
      for (const [amount, operation, code] of observed) counter.inc({ operation, code }, amount);
    });
    expect(series(await registry.metrics())).toEqual(expected);
  });

  it('of a histogram', async () => {
    const tally = new HistogramTally(description, bounds);
    for (const [amount, ...values] of observed) tally.observe(amount, ...values);
    const registry = new Registry();
    register(registry, tally);
    const expected = await asPromClient((other) => {
      const histogram = new Histogram({ ...description, buckets: [...bounds], registers: [other] });
      for (const [amount, operation, code] of observed) histogram.observe({ operation, code }, amount);
    });
    expect(series(await registry.metrics())).toEqual(expected);
  });

  it.each([[[]], [['operation']]])('before anything was added, with the labels %j', async (names) => {
    const registry = new Registry();
    register(registry, new CounterTally({ ...description, labelNames: names }));
    register(registry, new HistogramTally({ ...description, name: 'histogram', labelNames: names }, bounds));
    const expected = await asPromClient((other) => {
      const made = [
        new Counter({ ...description, labelNames: names, registers: [other] }),
        new Histogram({
          ...description,
          name: 'histogram',
          labelNames: names,
          buckets: [...bounds],
          registers: [other],
        }),
      ];
      expect(other.getMetricsAsArray()).toEqual(made);
    });
    expect(series(await registry.metrics())).toEqual(expected);
  });
});
