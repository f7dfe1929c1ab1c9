import { IdentityFault } from './identity-fault.ts';
import type { WaitObserver } from './provider-room.ts';

/**
 * Most characters of the tokens of one provider that are verified at the same time. Each takes about three bytes of memory for a
 * character meanwhile. A thousand usual tokens fit, or a hundred of the longest.
 */
const usualMaxCharacters = 2_097_152;

/**
 * Limits the tokens of one provider whose signatures are being verified. That happens in the thread pool, so every token that
 * arrives meanwhile would begin too, and anyone can make up tokens.
 */
export class VerificationRoom {
  readonly #provider: string;
  readonly #maxCharacters: number;
  #underWay = 0;

  constructor(provider: string, maxCharacters: number = usualMaxCharacters) {
    this.#provider = provider;
    this.#maxCharacters = maxCharacters;
  }

  /**
   * Runs `verify`. `observe` is told, as of every wait of a call, so that the call holds a place of the provider meanwhile, and
   * keeps nothing of its token but the text.
   * @throws IdentityFault `provider_busy` when there is no room for the token; or the error of `verify`
   */
  async pass<T>(token: string, verify: () => Promise<T>, observe?: WaitObserver): Promise<T> {
    const { length } = token;
    if (this.#underWay > 0 && this.#underWay + length > this.#maxCharacters) {
      const detail = 'too many tokens are being verified';
      throw new IdentityFault('provider_busy', 'Rate exceeded', { provider: this.#provider, detail });
    }
    const end = observe?.(this.#provider);
    this.#underWay += length;
    try {
      return await verify();
    } finally {
      this.#underWay -= length;
      end?.();
    }
  }
}
