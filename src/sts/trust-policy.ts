import { performance } from 'node:perf_hooks';
import type { Caller } from '../authenticate/caller.ts';
import { type AccessDecision, decideAccess, decisionFacts } from '../authorize/decide.ts';
import type { Role } from '../directory/role.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';
import type { SessionFederation } from '../tokens/session-claims.ts';
import type { SignedCall, StsTrace, UnsignedCall } from './action.ts';
import { accessDenied, denialDetail } from './denial.ts';
import { stsError } from './errors.ts';
import { providerArn } from './federated-keys.ts';
import {
  assumeRoleWithWebIdentity,
  callerQuestion,
  defaultDurationSeconds,
  federatedQuestion,
  fullRoleArn,
  type TrustCase,
  trustCase,
  trustQuery,
} from './trust-decision.ts';

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

const maxChainedDurationSeconds = 3600;

/**
 * Decides AssumeRole: the role's trust policy together with the caller's own policies, boundary and session policies
 * (IAM user guide, "Policy evaluation logic"). Throws ValidationError for a malformed ARN or a duration over its
 * limit, and AccessDenied, which says the same of a role that does not exist as of one that may not be assumed.
 */
export function grantRole(request: RoleRequest, call: SignedCall): TrustGrant {
  const { authenticated, dependencies, trace } = call;
  const { caller } = authenticated;
  const { sessionName, externalId } = request;
  const roleArn = requireRoleArn(request.roleArn, dependencies.account.id);
  const role = dependencies.authentication.directory.role(roleArn);
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const own = dependencies.policies.gather(caller);
  const session = { sessionName, durationSeconds, externalId };
  const question = callerQuestion(session, authenticated, dependencies.account.id);
  const query = trustQuery(question, roleArn);
  const decision = decideTrust(trustCase(own, query, role), trace);
  if (decision.effect !== 'allow' || role === undefined) {
    const detail = role === undefined ? 'the role does not exist' : denialDetail(decision);
    const refused = { action: query.action, resource: roleArn, context: question.entries };
    throw accessDenied({ ...refused, own: decideAccess(own, query) }, call, detail);
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
  const roleArn = requireRoleArn(request.roleArn, account.id);
  const role = dependencies.authentication.directory.role(roleArn);
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const session = { sessionName: request.sessionName, durationSeconds };
  const query = trustQuery(federatedQuestion(session, identity, call.raw, account), roleArn);
  const decision = decideTrust(trustCase({ identity: [] }, query, role), trace);
  if (decision.effect !== 'allow' || role === undefined) {
    throw stsError('AccessDenied', `Not authorized to perform ${assumeRoleWithWebIdentity}`, {
      detail: role === undefined ? 'the role does not exist' : denialDetail(decision),
    });
  }
  requireDuration(durationSeconds, role);
  const { subject, audience } = identity;
  const federation = { provider: providerArn(identity.issuer, account), subject, audience };
  return new RoleTrustGrant(decision, {
    role,
    sessionName: request.sessionName,
    durationSeconds,
    federation,
  });
}

function decideTrust({ sets, query }: TrustCase, trace: StsTrace): AccessDecision {
  const startedAt = performance.now();
  const decision = decideAccess(sets, query);
  trace.add({ decision: decisionFacts(decision, (performance.now() - startedAt) * 1000) });
  return decision;
}

function requireRoleArn(text: string, accountId: string): string {
  const roleArn = fullRoleArn(text, accountId);
  if (roleArn === undefined) throw stsError('ValidationError', `${text.slice(0, 256)} is invalid`);
  return roleArn;
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
