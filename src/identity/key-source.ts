import type { Clock } from '../core/clock.ts';
import { hasAnswered } from './key-fault.ts';
import { ProviderRoom, type WaitObserver } from './provider-room.ts';
import type { VerificationKey } from './verification-key.ts';
import { VerificationRoom } from './verification-room.ts';

/** The keys of one provider, as last fetched. */
interface FetchedKeys {
  readonly keys: readonly VerificationKey[];
  readonly fetchedAtMs: number;
  /** Set once the provider has answered without usable keys: these are not used beyond their age, whatever follows. */
  isWithdrawn: boolean;
}

/** What is wrong with the keys of a provider. */
export type KeysFault = 'never_fetched' | 'stale' | 'withdrawn';

/** How long keys are used without a new fetch. A withdrawn key stops working after this time if the provider answers. */
const maxAgeMs = 600_000;
/** Minimum time between two fetches for tokens with an unknown key. Anyone can make up such tokens. */
const unknownKeyCooldownMs = 30_000;
/** Minimum time between two fetches after a failure. */
const staleRetryMs = 30_000;
const emptyRetryMs = 1_000;

/**
 * The cached signing keys of one provider. There is at most one fetch at a time, and a limited number of calls may wait for it.
 * If the provider does not answer, the keys fetched last are still used. An answer without usable keys is an answer: the provider
 * may have withdrawn them all.
 */
export class KeySource {
  readonly #fetch: () => Promise<readonly VerificationKey[]>;
  readonly #clock: Clock;
  /** For calls whose tokens are being verified with these keys. */
  readonly verifying: VerificationRoom;
  /** For calls with unverified tokens. Calls with verified tokens wait in a room of their own. */
  readonly #room: ProviderRoom;
  #held: FetchedKeys | undefined;
  #running: Promise<FetchedKeys> | undefined;
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;
  #unknownKeyFetchMs = Number.NEGATIVE_INFINITY;

  constructor(provider: string, fetch: () => Promise<readonly VerificationKey[]>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#room = new ProviderRoom(provider);
    this.verifying = new VerificationRoom(provider);
  }

  /**
   * Returns the cached keys, and fetches them first when they are old.
   * @throws IdentityFault `provider_busy` when too many calls wait; without keys that may still be used, the error of the last
   * fetch
   */
  async keys(observe?: WaitObserver): Promise<readonly VerificationKey[]> {
    const current = this.#current();
    if (current !== undefined) return current;
    try {
      // Another call may have fetched them by the time it is this one's turn.
      return await this.#room.wait(async () => this.#current() ?? (await this.#refresh()).keys, observe);
    } catch (error) {
      const kept = this.#keptBeyondAge();
      if (kept === undefined) throw error;
      return kept;
    }
  }

  /**
   * Fetches the keys again, because none of `tried` verifies the token: at most once in 30 seconds for all calls together.
   * `undefined` when it is too early.
   * @throws IdentityFault `provider_busy`; or the error of the fetch
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

  /**
   * Fetches the keys if that is due, as the next token would: without it, a provider that nobody uses would seem to be without keys.
   * Never throws.
   */
  async keep(): Promise<void> {
    try {
      if (this.#current() === undefined) await this.#refresh();
    } catch {
      // The fault tells.
    }
  }

  /** What is wrong with the keys: none was ever fetched, or they are used beyond their age, or are withdrawn. */
  get fault(): KeysFault | undefined {
    if (this.#held === undefined) return 'never_fetched';
    if (this.#held.isWithdrawn) return 'withdrawn';
    return this.#failure === undefined || this.#isYoung(this.#held) ? undefined : 'stale';
  }

  /** The keys that may be used without a fetch; `undefined` when a fetch is due. */
  #current(): readonly VerificationKey[] | undefined {
    const nowMs = this.#clock.now();
    const held = this.#held;
    if (held !== undefined && this.#isYoung(held)) return held.keys;
    const kept = this.#keptBeyondAge();
    const failure = this.#failure;
    const retryMs = kept === undefined ? emptyRetryMs : staleRetryMs;
    if (failure === undefined || Math.abs(nowMs - failure.atMs) >= retryMs) return undefined;
    if (kept === undefined) throw failure.error;
    return kept;
  }

  #isYoung({ fetchedAtMs }: FetchedKeys): boolean {
    return Math.abs(this.#clock.now() - fetchedAtMs) < maxAgeMs;
  }

  #keptBeyondAge(): readonly VerificationKey[] | undefined {
    return this.#held?.isWithdrawn === false ? this.#held.keys : undefined;
  }

  /** The cached answer to whether there are keys besides those tried; `undefined` when a fetch is allowed. */
  #askedSince(
    tried: readonly VerificationKey[],
  ): { readonly keys: readonly VerificationKey[] | undefined } | undefined {
    if (this.#held !== undefined && this.#held.keys !== tried) return this.#held;
    if (this.#running !== undefined) return undefined;
    if (Math.abs(this.#clock.now() - this.#unknownKeyFetchMs) >= unknownKeyCooldownMs) return undefined;
    // The result of the last fetch still counts, including its failure.
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
      this.#held = { keys, fetchedAtMs: this.#clock.now(), isWithdrawn: false };
      this.#failure = undefined;
      return this.#held;
    } catch (error) {
      this.#failure = { error, atMs: this.#clock.now() };
      if (this.#held !== undefined && hasAnswered(error)) this.#held.isWithdrawn = true;
      throw error;
    }
  }
}
