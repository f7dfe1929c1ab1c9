import {
  type Caller,
  federatedUserArn,
  federatedUserId,
  type RootCaller,
  type UserCaller,
} from '../../authenticate/caller.ts';
import type { ContextEntry } from '../../iam/key-table.ts';
import type {
  FederatedUserPrincipal,
  SessionClaims,
  SessionTag,
  UserSessionPrincipal,
} from '../../tokens/session-claims.ts';
import type { SignedCall } from '../action.ts';
import { requirePermission } from '../require-permission.ts';
import { requestTagKeys } from '../session-tags.ts';
import { tagSession } from './trust-question.ts';

type GrantedClaims = Pick<SessionClaims, 'tags' | 'mfaAuthenticatedAt'>;

class GrantOfOwner {
  // A private field makes the type nominal: no object literal and no other class is assignable to it.
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

  /** The owner, whose permissions limit those of the session. */
  get owner(): UserCaller | RootCaller {
    return this.#owner;
  }
}

/**
 * Proof that the owner of a long-term key may have a session, for itself or for a federated user. The class is not exported, so
 * only this file can create one.
 */
export type OwnerGrant = GrantOfOwner;

const defaultDurationSeconds = 43_200;
/** The longest session of root, whatever it requests (AWS STS API Reference, GetSessionToken). */
const maxRootDurationSeconds = 3600;

/**
 * Grants the owner of a long-term key temporary credentials. No permission is needed, and no policy can deny it (IAM user
 * guide, "Permissions for GetSessionToken").
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

/** A federated user as the response shows it. */
export interface FederatedUser {
  readonly Arn: string;
  readonly FederatedUserId: string;
}

/** The condition keys of a requested federated user. */
export function federatedUserKeys(tags: readonly SessionTag[], accountId: string): ContextEntry[] {
  return [['aws:ResourceAccount', accountId], ...requestTagKeys(tags)];
}

/**
 * Decides GetFederationToken: the owner needs `sts:GetFederationToken` on the federated user, and `sts:TagSession` for tags.
 * @throws ServiceError AccessDenied
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

/** Narrows the caller of an action that only long-term keys may call. */
export function requireOwner(caller: Caller): UserCaller | RootCaller {
  if (caller.kind === 'user' || caller.kind === 'root') return caller;
  // INVARIANT: the action's caller rule admits no other kind.
  throw new Error(`a ${caller.kind} has no long-term key`);
}
