import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { Directory } from '../directory/directory.ts';
import type { Role } from '../directory/role.ts';
import type { Root } from '../directory/root.ts';
import type { User } from '../directory/user.ts';
import type {
  FederatedUserPrincipal,
  RoleSessionPrincipal,
  SessionClaims,
  SessionPrincipal,
  UserSessionPrincipal,
} from '../tokens/session-claims.ts';
import {
  assumedRoleArn,
  federatedUserArn,
  federatedUserId,
  type RoleSessionCaller,
  type SessionCaller,
} from './caller.ts';

/**
 * Finds the identity that a session acts as, in the directory as it is now. A user or role that was deleted, or deleted and
 * created again under the same name, loses its sessions.
 * @throws AuthenticationFault `invalid_token`
 */
export function identifySession(claims: SessionClaims, directory: Directory): SessionCaller {
  if (isOf(claims, 'role-session')) return roleSession(claims, directory);
  if (isOf(claims, 'user-session')) return userSession(claims, directory);
  if (isOf(claims, 'federated-user')) return federatedUser(claims, directory);
  // INVARIANT: decoding lets no other kind through.
  throw new Error('a session of an unknown kind');
}

function isOf<K extends SessionPrincipal['kind']>(
  claims: SessionClaims,
  kind: K,
): claims is SessionClaims<Extract<SessionPrincipal, { kind: K }>> {
  return claims.principal.kind === kind;
}

function roleSession(claims: SessionClaims<RoleSessionPrincipal>, directory: Directory): RoleSessionCaller {
  const { accessKeyId, policyNames } = claims;
  const { roleArn, roleId, sessionName } = claims.principal;
  const role = directory.role(roleArn);
  if (role === undefined || role.roleId !== roleId) throw gone(accessKeyId, 'role');
  const entity =
    policyNames === undefined ? role : withOwnPolicies(role, policyNames, accessKeyId, directory);
  const arn = assumedRoleArn(entity, sessionName);
  return { kind: 'role-session', accessKeyId, entity, claims, arn, userId: `${roleId}:${sessionName}` };
}

// Looked up at every request, so a policy that was detached no longer applies to existing sessions.
function withOwnPolicies(
  role: Role,
  policyNames: readonly string[],
  accessKeyId: string,
  directory: Directory,
): Role {
  // INVARIANT: only sessions of a claim-mode role name policies. Elsewhere they would replace those of the role.
  if (role.provider?.mode !== 'claim') throw gone(accessKeyId, 'claim-mode provider');
  return directory.withNamedPolicies(role, policyNames);
}

function userSession(claims: SessionClaims<UserSessionPrincipal>, directory: Directory): SessionCaller {
  const { accessKeyId } = claims;
  const entity = ownerOf(claims.principal, accessKeyId, directory);
  const { arn, userId } = entity;
  return entity.kind === 'root'
    ? { kind: 'root-session', accessKeyId, entity, claims, arn, userId }
    : { kind: 'user-session', accessKeyId, entity, claims, arn, userId };
}

function federatedUser(claims: SessionClaims<FederatedUserPrincipal>, directory: Directory): SessionCaller {
  const { accessKeyId } = claims;
  const { name } = claims.principal;
  const entity = ownerOf(claims.principal, accessKeyId, directory);
  const arn = federatedUserArn(entity, name);
  return { kind: 'federated-user', accessKeyId, entity, claims, arn, userId: federatedUserId(entity, name) };
}

// A root without keys has no sessions: taking its keys away ends them.
function ownerOf(
  { userArn, userId }: UserSessionPrincipal | FederatedUserPrincipal,
  accessKeyId: string,
  directory: Directory,
): User | Root {
  const { root } = directory;
  const owner = userArn === root?.arn ? root : directory.userByArn(userArn);
  if (owner === undefined || owner.userId !== userId) throw gone(accessKeyId, 'user');
  return owner;
}

function gone(accessKeyId: string, what: string): AuthenticationFault {
  return new AuthenticationFault('invalid_token', { accessKeyId, detail: `the ${what} no longer exists` });
}
