import { accountOf } from '../core/arn.ts';
import type { Role } from '../directory/role.ts';
import type { Root } from '../directory/root.ts';
import type { User } from '../directory/user.ts';
import type {
  FederatedUserPrincipal,
  RoleSessionPrincipal,
  SessionClaims,
  UserSessionPrincipal,
} from '../tokens/session-claims.ts';

interface CallerOf<K extends string, E extends User | Root | Role> {
  readonly kind: K;
  readonly accessKeyId: string;
  /** The user, root or role whose policies and tags apply, as it is in the directory now. */
  readonly entity: E;
  /** As in GetCallerIdentity. */
  readonly arn: string;
  /** As in GetCallerIdentity. */
  readonly userId: string;
}

interface SessionOf<K extends string, E extends User | Root | Role, C> extends CallerOf<K, E> {
  readonly claims: C;
}

/** A user signing with a long-term key. */
export type UserCaller = CallerOf<'user', User>;

/** The account's root signing with a long-term key. */
export type RootCaller = CallerOf<'root', Root>;

/** A user with temporary credentials of its own. */
export type UserSessionCaller = SessionOf<'user-session', User, SessionClaims<UserSessionPrincipal>>;

/** The account's root with temporary credentials of its own. */
export type RootSessionCaller = SessionOf<'root-session', Root, SessionClaims<UserSessionPrincipal>>;

/** A federated user, with part of the permissions of the user or root that issued its credentials. */
export type FederatedUserCaller = SessionOf<
  'federated-user',
  User | Root,
  SessionClaims<FederatedUserPrincipal>
>;

/** A session of a role. */
export type RoleSessionCaller = SessionOf<'role-session', Role, SessionClaims<RoleSessionPrincipal>>;

/** Any caller with temporary credentials. */
export type SessionCaller = UserSessionCaller | RootSessionCaller | FederatedUserCaller | RoleSessionCaller;

/** A caller whose signature has been verified. */
export type Caller = UserCaller | RootCaller | SessionCaller;

/** Whoever sends a request without any credentials. It has no policies of its own, and no identity that could be named. */
export interface AnonymousCaller {
  readonly kind: 'anonymous';
  /** The network that the request comes from; all requests of one share what anonymous callers are given. */
  readonly network: string;
}

/** Whom a decision about an S3 request is for. */
export type Asker = Caller | AnonymousCaller;

/** The claims of the caller's session; `undefined` for long-term keys. */
export function claimsOf(caller: Caller): SessionClaims | undefined {
  return caller.kind === 'user' || caller.kind === 'root' ? undefined : caller.claims;
}

/** The ARN of a role session; the role's path is dropped, as AWS does. */
export function assumedRoleArn(
  { account, name }: Pick<Role, 'account' | 'name'>,
  sessionName: string,
): string {
  return `arn:${account.partition}:sts::${account.id}:assumed-role/${name}/${sessionName}`;
}

/** The ARN of a federated user. */
export function federatedUserArn({ arn }: User | Root, name: string): string {
  const [, partition = '', , , account = ''] = arn.split(':');
  return `arn:${partition}:sts::${account}:federated-user/${name}`;
}

/** The unique id of a federated user: the account and its name. */
export function federatedUserId({ arn }: User | Root, name: string): string {
  return `${accountOf(arn)}:${name}`;
}
