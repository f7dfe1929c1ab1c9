import { IdentityFault } from './identity-fault.ts';

/**
 * Told that a call starts to wait for the provider of that configured name. Returns what is to be called when the waiting
 * ends, however it ends.
 */
export type WaitObserver = (provider: string) => () => void;

/** How many calls may wait for one provider. */
export interface RoomLimits {
  /** Calls for which the provider is asked at the same time. */
  readonly maxUnderWay: number;
  /** Further calls, which take their turn in the order they came. */
  readonly maxQueued: number;
  /** Longest time until a call's turn, in milliseconds. */
  readonly maxQueuedMs: number;
}

const usualLimits: RoomLimits = { maxUnderWay: 16, maxQueued: 16, maxQueuedMs: 2_000 };

/**
 * Where calls wait for a provider outside the sidecar. Every provider has a room of its own, so one that is slow or down
 * fills only that: calls for other providers do not notice.
 */
export class ProviderRoom {
  readonly #provider: string;
  readonly #limits: RoomLimits;
  /** In the order of arrival; each entry admits its call. */
  readonly #queue = new Set<() => void>();
  #underWay = 0;

  constructor(provider: string, limits: RoomLimits = usualLimits) {
    this.#provider = provider;
    this.#limits = limits;
  }

  /**
   * Asks when it is this call's turn. Throws `IdentityFault` `provider_busy` when the queue is full or the turn does not
   * come in time, and what `ask` throws.
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

  /** Hands the place to the call that came first, so that no later one can take it before. */
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
