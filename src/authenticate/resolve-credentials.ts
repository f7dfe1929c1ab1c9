import { AuthenticationFault } from '../core/authentication-fault.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import type { Secret } from '../core/secret.ts';
import type { Directory } from '../directory/directory.ts';
import type { Root } from '../directory/root.ts';
import type { User } from '../directory/user.ts';
import type { Revocations } from '../revocation/revocations.ts';
import { maxClockSkewMs, type SignedRequest } from '../sigv4/signed-request.ts';
import type { OpenedSession, SessionOpener } from '../tokens/open.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';
import type { Caller } from './caller.ts';
import { identifySession } from './identify-session.ts';

/** What credentials are looked up in. */
export interface CredentialSources {
  readonly directory: Directory;
  readonly sessions: SessionOpener;
  readonly revocations: Revocations;
}

/** The key of a request: its secret, and its identity, which may be used once the signature is verified. */
export interface ResolvedCredentials {
  readonly secretAccessKey: Secret;
  /**
   * Call only after the signature check.
   * @throws AuthenticationFault when the identity no longer exists
   */
  readonly identify: () => Caller;
  /**
   * Checks expiry at `nowMs`, and revocation, again.
   * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
   */
  readonly recheck: (nowMs: number) => void;
}

/** A request or form that names its key. */
type SignedWithKey = Pick<SignedRequest, 'raw' | 'accessKeyId' | 'securityToken'>;

/** A long-term key neither expires nor can be revoked while the configuration has it. */
function neverEnds(): void {}

/**
 * Finds the secret that belongs to a signed request: a long-term key of the directory, or the session its token
 * opens. Expiry and the match of token and access key are checked on every request, cached token or not.
 * @throws AuthenticationFault `unknown_access_key`, `invalid_token` or `expired_token`; the functions of the result also
 * `revoked_token` and `revocations_unknown`
 */
export function resolveCredentials(
  request: SignedWithKey,
  sources: CredentialSources,
): MaybePromise<ResolvedCredentials> {
  const { accessKeyId, securityToken } = request;
  const { directory } = sources;
  const longTerm = directory.accessKey(accessKeyId);
  if (longTerm !== undefined) {
    if (securityToken !== undefined) {
      throw new AuthenticationFault('invalid_token', {
        accessKeyId,
        detail: 'token sent with a long-term key',
      });
    }
    const { owner, secretAccessKey } = longTerm;
    return {
      secretAccessKey,
      identify: () => longTermCaller(accessKeyId, owner),
      recheck: neverEnds,
    };
  }
  if (securityToken === undefined) throw new AuthenticationFault('unknown_access_key', { accessKeyId });
  return whenReady(sources.sessions.open(securityToken), (session) =>
    sessionCredentials(request, session, sources),
  );
}

function sessionCredentials(
  { accessKeyId, raw }: SignedWithKey,
  session: OpenedSession | undefined,
  { directory, revocations }: CredentialSources,
): ResolvedCredentials {
  if (session === undefined) {
    throw new AuthenticationFault('invalid_token', { accessKeyId, detail: 'token does not open' });
  }
  const { claims, secretAccessKey } = session;
  if (claims.accessKeyId !== accessKeyId) {
    throw new AuthenticationFault('invalid_token', {
      accessKeyId,
      detail: 'token belongs to another access key',
    });
  }
  requireIssued(claims, raw.receivedAtMs);
  requireUnexpired(claims, raw.receivedAtMs);
  return {
    secretAccessKey,
    identify: () => {
      revocations.check(claims);
      return identifySession(claims, directory);
    },
    recheck: (nowMs) => {
      requireUnexpired(claims, nowMs);
      revocations.check(claims);
    },
  };
}

/**
 * A session may have been issued by a replica whose clock is ahead, as much as a request may have been signed. One of a later time is
 * made with a stolen token key: it would outlive the revocation of all that was issued before a time.
 */
function requireIssued({ issuedAt, accessKeyId }: SessionClaims, nowMs: number): void {
  if (issuedAt * 1000 - nowMs <= maxClockSkewMs) return;
  throw new AuthenticationFault('invalid_token', { accessKeyId, detail: 'token is of a later time' });
}

function requireUnexpired({ expiresAt, accessKeyId }: SessionClaims, nowMs: number): void {
  if (nowMs >= expiresAt * 1000) throw new AuthenticationFault('expired_token', { accessKeyId });
}

function longTermCaller(accessKeyId: string, owner: User | Root): Caller {
  const { arn, userId } = owner;
  return owner.kind === 'root'
    ? { kind: 'root', accessKeyId, entity: owner, arn, userId }
    : { kind: 'user', accessKeyId, entity: owner, arn, userId };
}
