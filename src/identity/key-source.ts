import type { Clock } from '../core/clock.ts';
import type { VerificationKey } from './verification-key.ts';

/** Keys of one provider as they were last fetched. */
interface FetchedKeys {
  readonly keys: readonly VerificationKey[];
  readonly fetchedAtMs: number;
}

/** So long keys are used without asking; a withdrawn key dies after this while the provider answers. */
const maxAgeMs = 600_000;
/** Least time between two fetches for tokens with an unknown key: anybody can make up such tokens. */
const unknownKeyCooldownMs = 30_000;
/** Least time between two fetches when the last one failed. */
const staleRetryMs = 30_000;
const emptyRetryMs = 1_000;

/**
 * The signing keys of one provider, cached. However many requests wait, one fetch is under way. While the provider
 * does not answer, the keys that were fetched last stay usable.
 */
export class KeySource {
  readonly #fetch: () => Promise<readonly VerificationKey[]>;
  readonly #clock: Clock;
  #held: FetchedKeys | undefined;
  #running: Promise<FetchedKeys> | undefined;
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;
  #unknownKeyFetchMs = Number.NEGATIVE_INFINITY;

  constructor(fetch: () => Promise<readonly VerificationKey[]>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The keys as far as they are known; asks when they are old. Throws what the last fetch threw when there are none. */
  async keys(): Promise<readonly VerificationKey[]> {
    const nowMs = this.#clock.now();
    const held = this.#held;
    if (held !== undefined && Math.abs(nowMs - held.fetchedAtMs) < maxAgeMs) return held.keys;
    const failure = this.#failure;
    const retryMs = held === undefined ? emptyRetryMs : staleRetryMs;
    if (failure !== undefined && Math.abs(nowMs - failure.atMs) < retryMs) {
      if (held === undefined) throw failure.error;
      return held.keys;
    }
    try {
      return (await this.#refresh()).keys;
    } catch (error) {
      if (held === undefined) throw error;
      return held.keys;
    }
  }

  /**
   * Asks again because a token names a key that is not among {@link keys}: at most once in 30 s, shared by everybody.
   * `undefined` when it is too early. Throws when the provider does not answer.
   */
  async keysAfterRotation(): Promise<readonly VerificationKey[] | undefined> {
    if (this.#running !== undefined) return (await this.#running).keys;
    const nowMs = this.#clock.now();
    if (Math.abs(nowMs - this.#unknownKeyFetchMs) < unknownKeyCooldownMs) {
      // The last answer to this question still stands, and so does its failure.
      if (this.#failure !== undefined) throw this.#failure.error;
      return undefined;
    }
    this.#unknownKeyFetchMs = nowMs;
    return (await this.#refresh()).keys;
  }

  #refresh(): Promise<FetchedKeys> {
    this.#running ??= this.#load().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #load(): Promise<FetchedKeys> {
    try {
      const keys = await this.#fetch();
      this.#held = { keys, fetchedAtMs: this.#clock.now() };
      this.#failure = undefined;
      return this.#held;
    } catch (error) {
      this.#failure = { error, atMs: this.#clock.now() };
      throw error;
    }
  }
}
