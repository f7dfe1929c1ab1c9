import { assumedRoleArn } from '../../authenticate/caller.ts';
import type { Role } from '../../directory/role.ts';
import type { RoleSessionPrincipal, SessionClaims } from '../../tokens/session-claims.ts';

/** A session of a role that has been granted. */
export interface GrantedRoleSession {
  readonly name: string;
  readonly durationSeconds: number;
  /** The claims of the session besides its policies. */
  readonly claims: Pick<
    SessionClaims,
    'tags' | 'sourceIdentity' | 'federation' | 'policyNames' | 'ancestors' | 'tokenKeys'
  >;
}

/** What every grant of a role says about its session. */
export class RoleSession {
  readonly principal: RoleSessionPrincipal;
  readonly durationSeconds: number;
  readonly claims: GrantedRoleSession['claims'];
  /** As the response shows it. */
  readonly assumedRoleUser: { readonly Arn: string; readonly AssumedRoleId: string };

  constructor(role: Role, { name, durationSeconds, claims }: GrantedRoleSession) {
    this.principal = { kind: 'role-session', roleArn: role.arn, roleId: role.roleId, sessionName: name };
    this.durationSeconds = durationSeconds;
    this.claims = claims;
    this.assumedRoleUser = { Arn: assumedRoleArn(role, name), AssumedRoleId: `${role.roleId}:${name}` };
  }
}
