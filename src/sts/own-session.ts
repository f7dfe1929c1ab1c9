import {
  type Caller,
  federatedUserArn,
  federatedUserId,
  type RootCaller,
  type UserCaller,
} from '../authenticate/caller.ts';
import type { ContextEntry } from '../authorize/global-keys.ts';
import type {
  FederatedUserPrincipal,
  SessionClaims,
  SessionTag,
  UserSessionPrincipal,
} from '../tokens/session-claims.ts';
import type { SignedCall } from './action.ts';
import { requirePermission } from './require-permission.ts';
import { requestTagKeys } from './session-tags.ts';
import { tagSession } from './trust-decision.ts';

type GrantedClaims = Pick<SessionClaims, 'tags' | 'mfaAuthenticatedAt'>;

class GrantOfOwner {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #owner: UserCaller | RootCaller;
  readonly principal: UserSessionPrincipal | FederatedUserPrincipal;
  readonly durationSeconds: number;
  readonly claims: GrantedClaims;

  constructor(
    owner: UserCaller | RootCaller,
    principal: UserSessionPrincipal | FederatedUserPrincipal,
    session: { readonly durationSeconds: number; readonly claims: GrantedClaims },
  ) {
    this.#owner = owner;
    this.principal = principal;
    this.durationSeconds = session.durationSeconds;
    this.claims = session.claims;
  }

  /** Whose permissions the session has, or a part of them. */
  get owner(): UserCaller | RootCaller {
    return this.#owner;
  }
}

/**
 * Proof that the owner of a long-term key may have a session of its own, or vouch for somebody. The class is not
 * exported: only this file makes one.
 */
export type OwnerGrant = GrantOfOwner;

const defaultDurationSeconds = 43_200;
/** What root is never given more of, whatever it asks for (AWS STS API Reference, GetSessionToken). */
const maxRootDurationSeconds = 3600;

/**
 * Grants the owner of a long-term key temporary credentials of its own. It needs no permission, and no policy can deny it
 * (IAM user guide, "Permissions for GetSessionToken").
 */
export function grantOwnSession(
  owner: UserCaller | RootCaller,
  session: { readonly durationSeconds: number | undefined; readonly mfaAuthenticatedAt: number | undefined },
): OwnerGrant {
  const { arn, userId } = owner;
  const { mfaAuthenticatedAt } = session;
  const claims = mfaAuthenticatedAt === undefined ? { tags: [] } : { tags: [], mfaAuthenticatedAt };
  const principal = { kind: 'user-session', userArn: arn, userId } as const;
  return new GrantOfOwner(owner, principal, { durationSeconds: durationOf(session, owner), claims });
}

/** A federated user as the answer says it. */
export interface FederatedUser {
  readonly Arn: string;
  readonly FederatedUserId: string;
}

/** What conditions can say about a federated user that is asked for. */
export function federatedUserKeys(tags: readonly SessionTag[], accountId: string): ContextEntry[] {
  return [['aws:ResourceAccount', accountId], ...requestTagKeys(tags)];
}

/**
 * Decides GetFederationToken: the owner needs the permission on the federated user, and `sts:TagSession` for tags.
 * Throws AccessDenied.
 */
export async function grantFederatedUser(
  owner: UserCaller | RootCaller,
  session: {
    readonly name: string;
    readonly durationSeconds: number | undefined;
    readonly tags: readonly SessionTag[];
  },
  call: SignedCall,
): Promise<{ readonly grant: OwnerGrant; readonly user: FederatedUser }> {
  const { name, tags } = session;
  const user = {
    Arn: federatedUserArn(owner.entity, name),
    FederatedUserId: federatedUserId(owner.entity, name),
  };
  const keys = federatedUserKeys(tags, call.dependencies.account.id);
  await requirePermission('sts:GetFederationToken', user.Arn, call, keys);
  if (tags.length > 0) await requirePermission(tagSession, user.Arn, call, keys);
  const principal = { kind: 'federated-user', userArn: owner.arn, userId: owner.userId, name } as const;
  const grant = new GrantOfOwner(owner, principal, {
    durationSeconds: durationOf(session, owner),
    claims: { tags },
  });
  return { grant, user };
}

function durationOf(
  { durationSeconds = defaultDurationSeconds }: { readonly durationSeconds: number | undefined },
  { kind }: Caller,
): number {
  return kind === 'root' ? Math.min(durationSeconds, maxRootDurationSeconds) : durationSeconds;
}

/** The caller of an action that only long-term keys may call. */
export function requireOwner(caller: Caller): UserCaller | RootCaller {
  if (caller.kind === 'user' || caller.kind === 'root') return caller;
  // INVARIANT: the action's caller rule admits no other.
  throw new Error(`a ${caller.kind} has no long-term key`);
}
