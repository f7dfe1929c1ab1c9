import type { SessionAncestor } from '../tokens/session-ancestors.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import { revocationKey } from './revocation-key.ts';
import type { Revocation } from './revocation-names.ts';

/** Looks up whether a session is revoked, in time that does not depend on the number of revocations. */
export class RevocationIndex {
  /** By selector: sessions issued before this time are revoked. Milliseconds since the Unix epoch, or infinity. */
  readonly #issuedBeforeMs = new Map<string, number>();

  constructor(revocations: Iterable<Revocation>) {
    for (const { keys, issuedBeforeMs = Number.POSITIVE_INFINITY } of revocations) {
      for (const key of keys) {
        const other = this.#issuedBeforeMs.get(key) ?? Number.NEGATIVE_INFINITY;
        this.#issuedBeforeMs.set(key, Math.max(other, issuedBeforeMs));
      }
    }
  }

  /** True when any revocation applies to this session, or to one that it descends from. */
  revokes(claims: SessionClaims): boolean {
    if (this.#issuedBeforeMs.size === 0) return false;
    const { ancestors = [], federation } = claims;
    return (
      this.#names(claims, federation?.provider) ||
      ancestors.some((session) => this.#names(session, session.provider))
    );
  }

  #names(session: Revocable, provider: string | undefined): boolean {
    // Sessions record the second they were issued in. One of the same second as the revocation may be older.
    const issuedAtMs = session.issuedAt * 1000;
    for (const key of keysOf(session, provider)) {
      const issuedBeforeMs = this.#issuedBeforeMs.get(key);
      if (issuedBeforeMs !== undefined && issuedAtMs < issuedBeforeMs) return true;
    }
    return false;
  }
}

/** A session, or one that it descends from. */
type Revocable = Pick<SessionClaims | SessionAncestor, 'sessionId' | 'issuedAt' | 'principal'>;

function* keysOf({ sessionId, principal }: Revocable, provider: string | undefined): Generator<string> {
  yield revocationKey.everybody;
  yield revocationKey.session(sessionId);
  if (principal.kind === 'role-session') {
    yield revocationKey.role(principal.roleArn);
    yield revocationKey.roleSession(principal.roleArn, principal.sessionName);
  } else {
    yield revocationKey.user(principal.userArn);
  }
  if (provider !== undefined) yield revocationKey.provider(provider);
}
