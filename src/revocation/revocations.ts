/*
 * This folder owns revocations, which end sessions before they expire.
 * In: records from the configuration file, and from operators at run time; the claims of a session.
 * Out: the session may go on, or an `AuthenticationFault`.
 * It never lets a session go on when a record is unreadable or too old. It never ends access keys of users.
 */

import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import type { RevocationIndex } from './revocation-index.ts';
import type { RunTimeRevocations } from './run-time-revocations.ts';

/** All revocations: those of the configuration in force, and those added at run time. */
export class Revocations {
  readonly #configured: () => RevocationIndex;
  readonly #runTime: RunTimeRevocations;

  /** @param configured is asked at each check, since a request may have begun with an earlier configuration */
  constructor(configured: () => RevocationIndex, runTime: RunTimeRevocations) {
    this.#configured = configured;
    this.#runTime = runTime;
  }

  /**
   * Returns if the session is not revoked.
   * @throws AuthenticationFault `revoked_token`, or `revocations_unknown` when the records are unreadable or too old
   */
  check(claims: SessionClaims): void {
    const { accessKeyId } = claims;
    const added = this.#runTime.index;
    if (this.#configured().revokes(claims) || added?.revokes(claims) === true) {
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
   * As {@link Revocations.check}, after reading the revocations of all replicas: credentials issued to a revoked session
   * would outlive the revocation.
   * @throws StateError also, when the shared state is not available
   */
  async confirm(claims: SessionClaims): Promise<void> {
    await this.#runTime.learn();
    this.check(claims);
  }
}
