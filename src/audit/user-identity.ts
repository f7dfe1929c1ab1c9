import type { Caller, SessionCaller } from '../authenticate/caller.ts';
import { accountOf } from '../core/arn.ts';
import type { AuthenticationReason } from '../core/authentication-fault.ts';
import { isoSeconds } from '../core/clock.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { UserIdentity } from './audit-record.ts';

type SessionContext = Extract<UserIdentity, { type: 'AssumedRole' }>['sessionContext'];

/**
 * The `userIdentity` of a caller whose signature was verified (AWS CloudTrail User Guide, "CloudTrail userIdentity element").
 * @param accountId of the roles of identity providers, whose ARNs name none
 */
export function callerIdentity(caller: Caller, accountId: string): UserIdentity {
  const { arn, userId: principalId, accessKeyId } = caller;
  const known = { principalId, arn, accountId, accessKeyId };
  switch (caller.kind) {
    case 'user':
      return { type: 'IAMUser', ...known, userName: caller.entity.name };
    case 'root':
      return { type: 'Root', ...known };
    case 'user-session':
      return {
        type: 'IAMUser',
        ...known,
        userName: caller.entity.name,
        sessionContext: contextOf(caller, undefined),
      };
    case 'root-session':
      return { type: 'Root', ...known, sessionContext: contextOf(caller, undefined) };
    case 'federated-user':
      return {
        type: 'FederatedUser',
        ...known,
        sessionContext: contextOf(caller, issuerOf(caller, accountId)),
      };
    case 'role-session':
      return {
        type: 'AssumedRole',
        ...known,
        sessionContext: contextOf(caller, issuerOf(caller, accountId)),
      };
  }
}

function issuerOf({ entity }: SessionCaller, ownAccount: string): SessionContext['sessionIssuer'] {
  const { arn } = entity;
  const accountId = accountOf(arn) || ownAccount;
  switch (entity.kind) {
    case 'role':
      return { type: 'Role', principalId: entity.roleId, arn, accountId, userName: entity.name };
    case 'user':
      return { type: 'IAMUser', principalId: entity.userId, arn, accountId, userName: entity.name };
    case 'root':
      return { type: 'Root', principalId: entity.userId, arn, accountId };
  }
}

function contextOf(
  { claims }: SessionCaller,
  sessionIssuer: SessionContext['sessionIssuer'],
): SessionContext {
  const { federation, issuedAt, mfaAuthenticatedAt, sourceIdentity } = claims;
  const isWebIdentity = federation !== undefined && federation.saml === undefined;
  return {
    sessionIssuer,
    webIdFederationData: isWebIdentity
      ? { federatedProvider: federation.provider, attributes: {} }
      : undefined,
    attributes: {
      creationDate: isoSeconds(issuedAt * 1000),
      mfaAuthenticated: mfaAuthenticatedAt === undefined ? 'false' : 'true',
    },
    sourceIdentity,
  };
}

/** The actions whose caller is proved by a token or an assertion, and what CloudTrail calls that caller. */
const federatedTypes: ReadonlyMap<string, 'WebIdentityUser' | 'SAMLUser'> = new Map([
  ['AssumeRoleWithWebIdentity', 'WebIdentityUser'],
  ['AssumeRoleWithCustomToken', 'WebIdentityUser'],
  ['AssumeRoleWithSAML', 'SAMLUser'],
]);

/** The cause of a refusal for want of any credentials. With any other one, the request carries some that were not verified. */
const noCredentials: AuthenticationReason = 'no_credentials';

/** The `userIdentity` of a request without a verified signature. It names a federated user only whose proof was verified. */
export function unsignedIdentity(record: RequestRecord): UserIdentity {
  const type = record.service === 'sts' ? federatedTypes.get(record.operation) : undefined;
  if (type !== undefined) return { type, ...record.federatedUser };
  const { accessKeyId, authenticationFailure, errorDetail } = record;
  const isAnonymous = authenticationFailure === undefined || errorDetail === noCredentials;
  if (accessKeyId === undefined && isAnonymous)
    return { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };
  return { type: 'Unknown', principalId: '', accessKeyId };
}
