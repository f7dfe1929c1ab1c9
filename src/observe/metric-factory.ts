import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

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
  readonly #registers: Registry[];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  counter(name: string, help: string, labels: readonly string[]): Counter {
    return new Counter(this.#describe('counter', name, help, labels));
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return new Gauge(this.#describe('gauge', name, help, labels));
  }

  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram {
    return new Histogram({ ...this.#describe('histogram', name, help, labels), buckets: [...buckets] });
  }

  #describe(
    type: MetricDescription['type'],
    name: string,
    help: string,
    labels: readonly string[],
  ): { name: string; help: string; labelNames: readonly string[]; registers: Registry[] } {
    const fullName = prefix + name;
    this.descriptions.push({ name: fullName, type, help, labels });
    return { name: fullName, help, labelNames: labels, registers: this.#registers };
  }
}
