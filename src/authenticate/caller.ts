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
  /** Whose policies and tags count; as the directory holds it now. */
  readonly entity: E;
  /** As GetCallerIdentity says it. */
  readonly arn: string;
  /** As GetCallerIdentity says it. */
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

/** Somebody a user or the account's root vouched for, with a part of their permissions. */
export type FederatedUserCaller = SessionOf<
  'federated-user',
  User | Root,
  SessionClaims<FederatedUserPrincipal>
>;

/** A session of a role. */
export type RoleSessionCaller = SessionOf<'role-session', Role, SessionClaims<RoleSessionPrincipal>>;

/** Whoever has temporary credentials. */
export type SessionCaller = UserSessionCaller | RootSessionCaller | FederatedUserCaller | RoleSessionCaller;

/** Somebody whose signature was verified. */
export type Caller = UserCaller | RootCaller | SessionCaller;

/** What the session of a caller adds; `undefined` for long-term keys. */
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

/** The ARN of a federated user of somebody. */
export function federatedUserArn({ arn }: User | Root, name: string): string {
  const [, partition = '', , , account = ''] = arn.split(':');
  return `arn:${partition}:sts::${account}:federated-user/${name}`;
}

/** The unique id of a federated user: the account and its name. */
export function federatedUserId({ arn }: User | Root, name: string): string {
  const [, , , , account = ''] = arn.split(':');
  return `${account}:${name}`;
}
