import { Gauge, type Registry } from 'prom-client';
import { CounterTally, HistogramTally, register, type TallyDescription } from './tallies.ts';

const prefix = 'sts_sidecar_';

/** What the reference page says of a metric. */
export interface MetricDescription {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Registers metrics under the prefix of the program. Labels never come from a key, principal or access key. */
export class MetricFactory {
  /** Every metric that was registered, in that order. */
  readonly descriptions: MetricDescription[] = [];
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  counter(name: string, help: string, labels: readonly string[]): CounterTally {
    const tally = new CounterTally(this.#describe('counter', name, help, labels));
    register(this.#registry, tally);
    return tally;
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return new Gauge({ ...this.#describe('gauge', name, help, labels), registers: [this.#registry] });
  }

  /** @param bounds upper bounds of the buckets, in ascending order */
  histogram(
    name: string,
    help: string,
    labels: readonly string[],
    bounds: readonly number[],
  ): HistogramTally {
    const tally = new HistogramTally(this.#describe('histogram', name, help, labels), bounds);
    register(this.#registry, tally);
    return tally;
  }

  #describe(
    type: MetricDescription['type'],
    name: string,
    help: string,
    labels: readonly string[],
  ): TallyDescription {
    const fullName = prefix + name;
    this.descriptions.push({ name: fullName, type, help, labels });
    return { name: fullName, help, labelNames: labels };
  }
}
