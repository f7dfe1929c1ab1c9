import type { Role } from '../directory/role.ts';
import type { User } from '../directory/user.ts';
import type { SessionClaims } from '../tokens/session-claims.ts';

/** A user signing with a long-term key. */
export interface UserCaller {
  readonly kind: 'user';
  readonly accessKeyId: string;
  readonly user: User;
  /** `arn:aws:iam::<account>:user/<path><name>` */
  readonly arn: string;
  /** `AIDA…` */
  readonly userId: string;
}

/** A session of AssumeRole; the role is the one the directory holds now. */
export interface RoleSessionCaller {
  readonly kind: 'role-session';
  readonly accessKeyId: string;
  readonly role: Role;
  readonly claims: SessionClaims;
  /** `arn:aws:sts::<account>:assumed-role/<role name>/<session name>` */
  readonly arn: string;
  /** `AROA…:<session name>` */
  readonly userId: string;
}

/** Somebody whose signature was verified. */
export type Caller = UserCaller | RoleSessionCaller;

/** The ARN of a role session; the role's path is dropped, as AWS does. */
export function assumedRoleArn(role: Pick<Role, 'arn' | 'name'>, sessionName: string): string {
  const [, partition = '', , , account = ''] = role.arn.split(':');
  return `arn:${partition}:sts::${account}:assumed-role/${role.name}/${sessionName}`;
}
