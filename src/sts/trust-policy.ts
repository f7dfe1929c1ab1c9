import { performance } from 'node:perf_hooks';
import type { Caller } from '../authenticate/caller.ts';
import { type AccessDecision, decideAccess, decisionFacts } from '../authorize/decide.ts';
import { policyPrincipal } from '../authorize/gather-policies.ts';
import { globalKeys, requestKeys } from '../authorize/global-keys.ts';
import { formatArn, parseArn } from '../core/arn.ts';
import type { Role } from '../directory/role.ts';
import type { PolicySets } from '../iam/combine.ts';
import type { AuthorizationQuery } from '../iam/query.ts';
import { type ContextEntry, RequestContext } from '../iam/request-context.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';
import type { SessionFederation } from '../tokens/session-claims.ts';
import type { SignedCall, StsTrace, UnsignedCall } from './action.ts';
import { denialDetail, denialMessage } from './denial.ts';
import { stsError } from './errors.ts';
import { claimKeys, providerArn } from './federated-keys.ts';

/** Which role is asked for, under what name and for how long. */
export interface FederatedRoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  /** `undefined` asks for the default of an hour. */
  readonly durationSeconds: number | undefined;
}

/** What AssumeRole asks for, as far as trust is decided by it. */
export interface RoleRequest extends FederatedRoleRequest {
  readonly externalId: string | undefined;
}

interface GrantedSession {
  readonly role: Role;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly federation?: SessionFederation;
}

class RoleTrustGrant {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #decision: AccessDecision;
  readonly role: Role;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Who vouched for the holder, when it was an identity provider. */
  readonly federation: SessionFederation | undefined;

  constructor(decision: AccessDecision, session: GrantedSession) {
    this.#decision = decision;
    this.role = session.role;
    this.sessionName = session.sessionName;
    this.durationSeconds = session.durationSeconds;
    this.federation = session.federation;
  }

  /** The decision that allows the session. */
  get decision(): AccessDecision {
    return this.#decision;
  }
}

/**
 * Proof that a session of this role, under this name and for this long, may be issued. The class is not exported:
 * only this file makes one.
 */
export type TrustGrant = RoleTrustGrant;

const assumeRole = 'sts:AssumeRole';
const assumeRoleWithWebIdentity = 'sts:AssumeRoleWithWebIdentity';
const defaultDurationSeconds = 3600;
const maxChainedDurationSeconds = 3600;

/**
 * Decides AssumeRole: the role's trust policy together with the caller's own policies, boundary and session policies
 * (IAM user guide, "Policy evaluation logic"). Throws ValidationError for a malformed ARN or a duration over its
 * limit, and AccessDenied, which says the same of a role that does not exist as of one that may not be assumed.
 */
export function grantRole(request: RoleRequest, call: SignedCall): TrustGrant {
  const { authenticated, dependencies, trace } = call;
  const { caller } = authenticated;
  const roleArn = fullRoleArn(request.roleArn, dependencies.account.id);
  const role = dependencies.authentication.directory.role(roleArn);
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const own = dependencies.policies.gather(caller);
  const query: AuthorizationQuery = {
    principal: policyPrincipal(caller),
    action: assumeRole,
    resource: roleArn,
    context: trustContext(request, durationSeconds, call),
  };
  const decision = decideTrust(own, query, role, trace);
  if (decision.effect !== 'allow' || role === undefined) {
    const detail = role === undefined ? 'the role does not exist' : denialDetail(decision);
    throw stsError('AccessDenied', denialMessage(caller.arn, query, decideAccess(own, query)), { detail });
  }
  requireChainedDuration(durationSeconds, caller);
  requireDuration(durationSeconds, role);
  requireNothingInherited(caller);
  return new RoleTrustGrant(decision, { role, sessionName: request.sessionName, durationSeconds });
}

/**
 * Decides AssumeRoleWithWebIdentity: the role's trust policy alone, which must name the identity provider (IAM user
 * guide, "Creating a role for OIDC federation"). Throws ValidationError for a malformed ARN or a duration over the
 * role's maximum, and AccessDenied, which says the same of every refusal.
 */
export function grantRoleToFederated(
  request: FederatedRoleRequest,
  identity: FederatedIdentity,
  call: UnsignedCall,
): TrustGrant {
  const { dependencies, trace } = call;
  const { account } = dependencies;
  const roleArn = fullRoleArn(request.roleArn, account.id);
  const role = dependencies.authentication.directory.role(roleArn);
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const provider = providerArn(identity.issuer, account);
  const query: AuthorizationQuery = {
    principal: { kind: 'web-identity', accountId: account.id, arn: '', federatedProvider: provider },
    action: assumeRoleWithWebIdentity,
    resource: roleArn,
    context: new RequestContext(
      [
        ...requestKeys(call.raw, account.region),
        ['aws:FederatedProvider', provider],
        ...sessionKeys(request.sessionName, durationSeconds, account.id),
        ...claimKeys(identity),
      ],
      roleTagKeys,
    ),
  };
  const decision = decideTrust({ identity: [] }, query, role, trace);
  if (decision.effect !== 'allow' || role === undefined) {
    throw stsError('AccessDenied', `Not authorized to perform ${assumeRoleWithWebIdentity}`, {
      detail: role === undefined ? 'the role does not exist' : denialDetail(decision),
    });
  }
  requireDuration(durationSeconds, role);
  const { subject, audience } = identity;
  const federation = { provider, subject, audience };
  return new RoleTrustGrant(decision, {
    role,
    sessionName: request.sessionName,
    durationSeconds,
    federation,
  });
}

/** A role that does not exist trusts nobody; everything else goes the same way, so existence does not show. */
function decideTrust(
  own: PolicySets,
  query: AuthorizationQuery,
  role: Role | undefined,
  trace: StsTrace,
): AccessDecision {
  const sets: PolicySets = { ...own, resource: role === undefined ? [] : [role.trustPolicy] };
  const startedAt = performance.now();
  const decision = decideAccess(sets, {
    ...query,
    context: role === undefined ? query.context : withRoleTags(query.context, role.tags),
  });
  trace.add({ decision: decisionFacts(decision, (performance.now() - startedAt) * 1000) });
  return decision;
}

/** The ARN with its account; an account-less one means the only account there is. */
function fullRoleArn(text: string, accountId: string): string {
  const arn = parseArn(text);
  const isRoleArn =
    arn?.service === 'iam' &&
    arn.region === '' &&
    /^(?:\d{12})?$/.test(arn.account) &&
    /^role\/[\x21-\x7e]+$/.test(arn.resource);
  if (!isRoleArn) throw stsError('ValidationError', `${text.slice(0, 256)} is invalid`);
  return arn.account === '' ? formatArn({ ...arn, account: accountId }) : text;
}

/** The context of the trust decision and of the caller's own policies alike. */
function trustContext(
  { sessionName, externalId }: RoleRequest,
  durationSeconds: number,
  { authenticated: { raw, caller, region }, dependencies }: SignedCall,
): RequestContext {
  const entries: ContextEntry[] = [
    ...globalKeys(raw, caller, region),
    ...sessionKeys(sessionName, durationSeconds, dependencies.account.id),
  ];
  if (externalId !== undefined) entries.push(['sts:ExternalId', externalId]);
  return new RequestContext(entries, roleTagKeys);
}

function sessionKeys(sessionName: string, durationSeconds: number, accountId: string): ContextEntry[] {
  return [
    ['aws:ResourceAccount', accountId],
    ['sts:RoleSessionName', sessionName],
    // The duration that would be granted, default included: otherwise a policy that limits it refuses the default.
    ['sts:DurationSeconds', String(durationSeconds)],
  ];
}

// Unknown until the role is: a statement that names one denies rather than taking the tag for absent.
const roleTagKeys = ['aws:ResourceTag/', 'iam:ResourceTag/'];

function withRoleTags(context: RequestContext, tags: ReadonlyMap<string, string>): RequestContext {
  return roleTagKeys.reduce(
    (known, prefix) =>
      known.withLookedUp(
        prefix,
        [...tags].map(([key, value]) => [prefix + key, value] as const),
      ),
    context,
  );
}

// Judged after the decision: the maximum of a role is not for callers who may not assume it.
function requireChainedDuration(durationSeconds: number, caller: Caller): void {
  if (caller.kind === 'role-session' && durationSeconds > maxChainedDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
}

function requireDuration(durationSeconds: number, role: Role): void {
  if (durationSeconds > role.maxSessionDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
}

// Another version may have sealed them under the same key. A session without them would escape policies on them.
function requireNothingInherited(caller: Caller): void {
  if (caller.kind !== 'role-session') return;
  const { tags, sourceIdentity } = caller.claims;
  if (sourceIdentity !== undefined || tags.some(({ isTransitive }) => isTransitive)) {
    throw stsError(
      'ValidationError',
      'Passing on transitive tags or a source identity is not supported by this version of the service.',
    );
  }
}
