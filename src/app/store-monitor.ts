import type { StoreFinding } from '../forward/store-probe.ts';

/** What the monitor works with. */
export interface StoreMonitorParts {
  /** Asks the store once. Never rejects. */
  readonly probe: () => Promise<StoreFinding>;
  /** Seconds between two questions; 0 asks none. Read before each. */
  readonly probeSeconds: () => number;
  /** Told whenever a verdict changes. */
  readonly changed: (component: 'store' | 'store_credentials', failure: string | undefined) => void;
}

/** A question that failed is repeated sooner, because one failure does not count once the store has answered. */
const repeatMs = 2_000;
/** How often a monitor that is off looks whether it is on. */
const offMs = 5_000;
const failuresThatCount = 2;

/**
 * Knows whether the store answers, and accepts the sidecar's key: it asks at intervals of its own, so that neither scrapes nor
 * probes ever cause a request.
 */
export class StoreMonitor {
  readonly #parts: StoreMonitorParts;
  #failures = 0;
  #hasAnswered = false;
  #store: string | undefined = 'not asked yet';
  #credentials: string | undefined = 'not known: the store has not answered yet';
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: StoreMonitorParts) {
    this.#parts = parts;
  }

  /** False while no question is asked: then nothing is known. */
  get isOn(): boolean {
    return this.#parts.probeSeconds() > 0;
  }

  /** Why requests to the store cannot succeed; `undefined` while they can. */
  get storeFailure(): string | undefined {
    return this.#store;
  }

  /** The code by which the store refuses the sidecar's key; `undefined` while it accepts it. The last answer counts. */
  get credentialsFailure(): string | undefined {
    return this.#credentials;
  }

  /** Asks now, and again and again from then on. */
  start(): void {
    if (this.#isStopped) return;
    const delayMs = this.#parts.probeSeconds() * 1000;
    if (delayMs === 0) {
      this.#later(offMs);
      return;
    }
    void this.#ask().then(() => this.#later(this.#failures > 0 ? Math.min(repeatMs, delayMs) : delayMs));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #later(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.start(), delayMs).unref();
  }

  async #ask(): Promise<void> {
    const finding = await this.#parts.probe();
    if (this.#isStopped) return;
    if (finding.outcome === 'failed') {
      this.#failures += 1;
      if (!this.#hasAnswered || this.#failures >= failuresThatCount) this.#judgeStore(finding.cause);
      return;
    }
    this.#failures = 0;
    this.#hasAnswered = true;
    this.#judgeStore(undefined);
    this.#judgeCredentials(finding.outcome === 'refused' ? finding.cause : undefined);
  }

  #judgeStore(failure: string | undefined): void {
    if (failure === this.#store) return;
    this.#store = failure;
    this.#parts.changed('store', failure);
  }

  #judgeCredentials(failure: string | undefined): void {
    if (failure === this.#credentials) return;
    this.#credentials = failure;
    this.#parts.changed('store_credentials', failure);
  }
}
