import { performance } from 'node:perf_hooks';
import { BoundedCache } from '../core/bounded-cache.ts';
import { flatCopy } from '../core/bytes.ts';

/** A client has sent more requests than `requestsPerSecondPerClient` lets it. */
export class RateExceededError extends Error {
  override readonly name = 'RateExceededError';
}

const oneSecondMs = 1_000;

/** What a whole request may lack: sums of fractions fall short of it. */
const rounding = 1e-6;

/**
 * Clients that are remembered. A client is forgotten when as many others have sent a request since its last one. By then more than
 * a second has passed and its bucket is full again, so what is forgotten makes no difference.
 * INVARIANT: more requests than a process answers in a second.
 */
const maxClients = 32_768;

/** The requests that a client still has, as of its last one. */
interface Bucket {
  tokens: number;
  atMs: number;
}

/** How often each client of one kind may send a request: a token bucket for each, which holds what one second brings. */
export class RequestRates {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new BoundedCache<Bucket>({ maxEntries: maxClients });

  /**
   * @param perSecond at least 1
   * @param now the monotonic clock, in milliseconds
   */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Takes one request of a client; false when it has none left. A refused request takes nothing. */
  take(client: string): boolean {
    const nowMs = this.#now();
    const bucket = this.#buckets.get(client);
    if (bucket === undefined) {
      // A part of a head would keep all of it.
      this.#buckets.set(flatCopy(client), { tokens: this.#perSecond - 1, atMs: nowMs });
      return true;
    }
    const gained = ((nowMs - bucket.atMs) * this.#perSecond) / oneSecondMs;
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + gained);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1 - rounding) return false;
    bucket.tokens -= 1;
    return true;
  }
}
