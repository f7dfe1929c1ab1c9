import { IdentityFault } from './identity-fault.ts';

/**
 * Called with the configured name of a provider when a call starts to wait for it. Returns a function to call when the wait
 * ends, whether it succeeds or fails.
 */
export type WaitObserver = (provider: string) => () => void;

/** Limits of the calls that wait for one provider. */
export interface RoomLimits {
  /** Concurrent requests to the provider. */
  readonly maxUnderWay: number;
  /** Calls in the queue, which are served in order of arrival. */
  readonly maxQueued: number;
  /** Longest wait in the queue, in milliseconds. */
  readonly maxQueuedMs: number;
}

const usualLimits: RoomLimits = { maxUnderWay: 16, maxQueued: 16, maxQueuedMs: 2_000 };

/**
 * Limits the calls that wait for a provider. Every provider has a room of its own, so a slow or unreachable provider does not
 * affect calls for the others.
 */
export class ProviderRoom {
  readonly #provider: string;
  readonly #limits: RoomLimits;
  /** In order of arrival. Each entry admits its call. */
  readonly #queue = new Set<() => void>();
  #underWay = 0;

  constructor(provider: string, limits: RoomLimits = usualLimits) {
    this.#provider = provider;
    this.#limits = limits;
  }

  /**
   * Runs `ask` when it is this call's turn.
   * @throws IdentityFault `provider_busy` when the queue is full or the turn does not come in time; or the error of `ask`
   */
  async wait<T>(ask: () => Promise<T>, observe?: WaitObserver): Promise<T> {
    const { maxUnderWay, maxQueued } = this.#limits;
    const isQueued = this.#underWay >= maxUnderWay;
    if (isQueued && this.#queue.size >= maxQueued) throw this.#busy('too many calls wait already');
    const end = observe?.(this.#provider);
    try {
      if (isQueued) await this.#turn();
      else this.#underWay += 1;
      try {
        return await ask();
      } finally {
        this.#leave();
      }
    } finally {
      end?.();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#queue.delete(admit);
        reject(this.#busy('its turn did not come in time'));
      }, this.#limits.maxQueuedMs);
      this.#queue.add(admit);
    });
  }

  /** Hands the place to the longest waiting call, so that no later call can take it first. */
  #leave(): void {
    const [first] = this.#queue;
    if (first === undefined) {
      this.#underWay -= 1;
      return;
    }
    this.#queue.delete(first);
    first();
  }

  #busy(detail: string): IdentityFault {
    return new IdentityFault('provider_busy', 'Rate exceeded', { provider: this.#provider, detail });
  }
}
