import type { Clock } from '../core/clock.ts';
import { ProviderRoom, type WaitObserver } from './provider-room.ts';
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
 * The signing keys of one provider, cached. However many requests wait, one fetch is under way,
 * and only so many may wait for it. While the provider
 * does not answer, the keys that were fetched last stay usable.
 */
export class KeySource {
  readonly #fetch: () => Promise<readonly VerificationKey[]>;
  readonly #clock: Clock;
  /** Of calls whose token is not verified yet; what waits with a verified one has another room. */
  readonly #room: ProviderRoom;
  #held: FetchedKeys | undefined;
  #running: Promise<FetchedKeys> | undefined;
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;
  #unknownKeyFetchMs = Number.NEGATIVE_INFINITY;

  constructor(provider: string, fetch: () => Promise<readonly VerificationKey[]>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#room = new ProviderRoom(provider);
  }

  /**
   * The keys as far as they are known; waits for them when they are old. Without any, throws what the last fetch threw, or
   * `IdentityFault` `provider_busy` when too many calls wait.
   */
  async keys(observe?: WaitObserver): Promise<readonly VerificationKey[]> {
    const current = this.#current();
    if (current !== undefined) return current;
    const held = this.#held;
    try {
      // Another call may have brought them by the time of this one's turn.
      return await this.#room.wait(async () => this.#current() ?? (await this.#refresh()).keys, observe);
    } catch (error) {
      if (held === undefined) throw error;
      return held.keys;
    }
  }

  /**
   * Asks again because a token is signed with none of the keys `tried`: at most once in 30 s, for all calls together.
   * `undefined` when it is too early. Throws when the provider does not answer, and `provider_busy`.
   */
  async keysAfterRotation(
    tried: readonly VerificationKey[],
    observe?: WaitObserver,
  ): Promise<readonly VerificationKey[] | undefined> {
    const asked = this.#askedSince(tried);
    if (asked !== undefined) return asked.keys;
    return this.#room.wait(async () => {
      const meanwhile = this.#askedSince(tried);
      if (meanwhile !== undefined) return meanwhile.keys;
      if (this.#running === undefined) this.#unknownKeyFetchMs = this.#clock.now();
      return (await this.#refresh()).keys;
    }, observe);
  }

  /** The keys that can be used without asking; `undefined` when it is time to ask. */
  #current(): readonly VerificationKey[] | undefined {
    const nowMs = this.#clock.now();
    const held = this.#held;
    if (held !== undefined && Math.abs(nowMs - held.fetchedAtMs) < maxAgeMs) return held.keys;
    const failure = this.#failure;
    const retryMs = held === undefined ? emptyRetryMs : staleRetryMs;
    if (failure === undefined || Math.abs(nowMs - failure.atMs) >= retryMs) return undefined;
    if (held === undefined) throw failure.error;
    return held.keys;
  }

  /** What is known without asking about keys beside those tried; `undefined` when the provider can be asked. */
  #askedSince(
    tried: readonly VerificationKey[],
  ): { readonly keys: readonly VerificationKey[] | undefined } | undefined {
    if (this.#held !== undefined && this.#held.keys !== tried) return this.#held;
    if (this.#running !== undefined) return undefined;
    if (Math.abs(this.#clock.now() - this.#unknownKeyFetchMs) >= unknownKeyCooldownMs) return undefined;
    // The last answer to this question still stands, and so does its failure.
    if (this.#failure !== undefined) throw this.#failure.error;
    return { keys: undefined };
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
