import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import type { RevocationIndex } from './revocation-index.ts';
import type { RunTimeRevocations } from './run-time-revocations.ts';

/** Every revocation that there is: those of one configuration, and those that were added since. */
export class Revocations {
  readonly #configured: RevocationIndex;
  readonly #runTime: RunTimeRevocations;

  constructor(configured: RevocationIndex, runTime: RunTimeRevocations) {
    this.#configured = configured;
    this.#runTime = runTime;
  }

  /**
   * Returns for a session that is not revoked as far as is known now. Throws {@link AuthenticationFault} `revoked_token`,
   * and `revocations_unknown` when what is known is unreadable or too old.
   */
  check(claims: SessionClaims): void {
    const { accessKeyId } = claims;
    const added = this.#runTime.index;
    if (this.#configured.revokes(claims) || added?.revokes(claims) === true) {
      throw new AuthenticationFault('revoked_token', { accessKeyId });
    }
    if (added === undefined) {
      throw new AuthenticationFault('revocations_unknown', {
        accessKeyId,
        detail: 'a revocation cannot be read',
      });
    }
    if (!this.#runTime.isFresh()) {
      const detail = 'the revocations of other replicas have not been seen for too long';
      throw new AuthenticationFault('revocations_unknown', { accessKeyId, detail });
    }
  }

  /**
   * As {@link Revocations.check}, with what every replica knows at this moment: credentials that somebody gets for a
   * revoked session would outlive it. Throws `StateFault` too, when the others cannot be asked.
   */
  async confirm(claims: SessionClaims): Promise<void> {
    await this.#runTime.learn();
    this.check(claims);
  }
}
