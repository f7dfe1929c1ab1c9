import type { Counter, Registry } from 'prom-client';

/*
 * Metrics that every request adds to, as plain numbers that prom-client reads when it is scraped. Its own counters and histograms
 * sort, join and check the labels at each addition, which costs more than the rest of a request's record.
 */

/** Name, help text and labels of a metric, as prom-client writes them. */
export interface TallyDescription {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

interface SeriesNode<S> {
  readonly next: Map<string, SeriesNode<S>>;
  series: S | undefined;
}

/** Finds the series of label values. They come from fixed tables, so there are few. */
class SeriesTable<S> {
  readonly #labelNames: readonly string[];
  readonly #create: () => S;
  /** One map for each label, which costs less than a key made of all values. */
  readonly #tree: SeriesNode<S> = { next: new Map(), series: undefined };
  readonly #all: { readonly labels: Readonly<Record<string, string>>; readonly series: S }[] = [];

  constructor(labelNames: readonly string[], create: () => S) {
    this.#labelNames = labelNames;
    this.#create = create;
    // A metric without labels is there from the start.
    if (labelNames.length === 0) this.of([]);
  }

  of(values: readonly string[]): S {
    let node = this.#tree;
    for (const value of values) {
      let next = node.next.get(value);
      if (next === undefined) {
        next = { next: new Map(), series: undefined };
        node.next.set(value, next);
      }
      node = next;
    }
    node.series ??= this.#add(values);
    return node.series;
  }

  entries(): Iterable<{ readonly labels: Readonly<Record<string, string>>; readonly series: S }> {
    return this.#all;
  }

  #add(values: readonly string[]): S {
    const labels = Object.fromEntries(this.#labelNames.map((name, index) => [name, values[index] ?? '']));
    const series = this.#create();
    this.#all.push({ labels, series });
    return series;
  }
}

/** A counter. */
export class CounterTally {
  readonly type = 'counter';
  readonly name: string;
  readonly #help: string;
  readonly #table: SeriesTable<{ value: number }>;

  constructor({ name, help, labelNames }: TallyDescription) {
    this.name = name;
    this.#help = help;
    this.#table = new SeriesTable(labelNames, () => ({ value: 0 }));
  }

  /** @param values of the labels, in their order */
  add(amount: number, ...values: readonly string[]): void {
    this.#table.of(values).value += amount;
  }

  /** What prom-client asks a metric for. */
  get(): Promise<object> {
    const values: Sample[] = [];
    for (const { labels, series } of this.#table.entries()) values.push({ labels, value: series.value });
    return Promise.resolve({ name: this.name, help: this.#help, type: this.type, values });
  }
}

/** A histogram. */
export class HistogramTally {
  readonly type = 'histogram';
  readonly name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #table: SeriesTable<{ readonly counts: Float64Array; sum: number }>;

  /** @param bounds upper bounds of the buckets, in ascending order */
  constructor({ name, help, labelNames }: TallyDescription, bounds: readonly number[]) {
    this.name = name;
    this.#help = help;
    this.#bounds = bounds;
    // One more for what exceeds the last bound.
    this.#table = new SeriesTable(labelNames, () => ({
      counts: new Float64Array(bounds.length + 1),
      sum: 0,
    }));
  }

  /** @param values of the labels, in their order */
  observe(amount: number, ...values: readonly string[]): void {
    const series = this.#table.of(values);
    let bucket = 0;
    while (bucket < this.#bounds.length && amount > (this.#bounds[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += amount;
  }

  /** What prom-client asks a metric for. Buckets hold all that does not exceed them. */
  get(): Promise<object> {
    const values: Sample[] = [];
    for (const { labels, series } of this.#table.entries()) {
      let count = 0;
      for (const [index, inBucket] of series.counts.entries()) {
        count += inBucket;
        const le = this.#bounds[index] ?? '+Inf';
        values.push({ labels: { le, ...labels }, value: count, metricName: `${this.name}_bucket` });
      }
      values.push({ labels, value: series.sum, metricName: `${this.name}_sum` });
      values.push({ labels, value: count, metricName: `${this.name}_count` });
    }
    return Promise.resolve({ name: this.name, help: this.#help, type: this.type, values });
  }
}

/** Has a registry write the metric at each scrape. It reads the name and calls `get`, and nothing else. */
export function register(registry: Registry, tally: CounterTally | HistogramTally): void {
  registry.registerMetric(tally as unknown as Counter);
}
