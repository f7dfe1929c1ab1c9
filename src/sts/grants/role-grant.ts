import { performance } from 'node:perf_hooks';
import { type Caller, claimsOf } from '../../authenticate/caller.ts';
import {
  type AccessDecision,
  type Decisions,
  decisionFacts,
  PacedDecisions,
  StrangersDecisions,
  settled,
} from '../../authorize/decide.ts';
import type { Role } from '../../directory/role.ts';
import type { SessionFederation, SessionTag } from '../../tokens/session-claims.ts';
import type { SignedCall, StsTrace, UnsignedCall } from '../action.ts';
import { accessDenied, denialDetail, type RefusedCall } from '../denial.ts';
import { requireChainedDuration, requireDuration } from '../durations.ts';
import { stsError } from '../errors.ts';
import { recorded } from '../session-facts.ts';
import { withInherited } from '../session-tags.ts';
import { descentFrom } from './descent.ts';
import { type GrantedRoleSession, RoleSession } from './role-session.ts';
import {
  aboutAction,
  callerQuestion,
  defaultDurationSeconds,
  fullRoleArn,
  knownTrustCase,
  requireOwnConsent,
  setSourceIdentity,
  type TrustCase,
  type TrustQuestion,
  tagSession,
  trustQuery,
} from './trust-question.ts';

/** The requested role and session. */
export interface FederatedRoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  /** `undefined`: an hour. */
  readonly durationSeconds: number | undefined;
  /** The tags of the request itself, without inherited ones. */
  readonly tags: readonly SessionTag[];
  readonly sourceIdentity: string | undefined;
  /** The longest session that the identity provider allows. Shortens the requested duration. */
  readonly maxDurationSeconds?: number | undefined;
}

/** The parameters of AssumeRole that the trust decision uses. */
export interface RoleRequest extends FederatedRoleRequest {
  readonly externalId: string | undefined;
  /** True when the request carried a valid MFA code of the caller. */
  readonly hasMfaCode: boolean;
}

class GrantOfTrust extends RoleSession {
  // A private field makes the type nominal: no object literal and no other class is assignable to it.
  readonly #decision: AccessDecision;

  constructor(decision: AccessDecision, role: Role, session: GrantedRoleSession) {
    super(role, session);
    this.#decision = decision;
  }

  /** The decision that allowed the session. */
  get decision(): AccessDecision {
    return this.#decision;
  }
}

/**
 * Proof that a session of this role, with this name and duration, may be issued. The class is not exported, so only this file
 * can create one.
 */
export type TrustGrant = GrantOfTrust;

/**
 * Decides AssumeRole by the role's trust policy together with the caller's own policies, boundary and session policies (IAM
 * user guide, "Policy evaluation logic").
 * @throws ServiceError ValidationError for a malformed ARN or a duration over its limit, InvalidParameterValue for a tag that
 * cannot be set, and AccessDenied, which is the same for a role that does not exist
 * @throws ClientGoneError
 */
export async function grantRole(request: RoleRequest, call: SignedCall): Promise<TrustGrant> {
  const { authenticated, dependencies, trace } = call;
  const { caller } = authenticated;
  const { sessionName, externalId, hasMfaCode } = request;
  const roleArn = requireRoleArn(request.roleArn, dependencies.account.id);
  const role = dependencies.authentication.directory.role(roleArn);
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const inherited = claimsOf(caller);
  const tags = withInherited(request.tags, inherited?.tags ?? []);
  const sourceIdentity = request.sourceIdentity ?? inherited?.sourceIdentity;
  trace.add({ roleArn: role?.arn ?? recorded(roleArn) });
  const decisions = new PacedDecisions(trace.client);
  const own = await decisions.gather(dependencies.policies, caller);
  const session = {
    sessionName,
    durationSeconds,
    externalId,
    hasMfaCode,
    tags: request.tags,
    sourceIdentity,
  };
  const question = callerQuestion(session, authenticated, dependencies.account.id);
  const asked = knownTrustCase(own, question, { roleArn, role });
  const decision = await decideTrust(asked, decisions, trace);
  // Without the tags of the role, which the answer must not reveal.
  const ownQuery = trustQuery(question, roleArn);
  const refuse = (action: string, ownDecision: RefusedCall['own'], detail: string): Error => {
    const nearest: RefusedCall['nearest'] = (reason) =>
      decisions.nearest(own, { ...ownQuery, action }, reason);
    const refused = { action, resource: roleArn, context: question.entries, own: ownDecision, nearest };
    return accessDenied(refused, call, detail);
  };
  if (decision.effect !== 'allow' || role === undefined) {
    const detail = role === undefined ? 'the role does not exist' : denialDetail(decision);
    throw refuse(question.action, await decisions.decide(own, ownQuery), detail);
  }
  for (const action of furtherActions(tags, sourceIdentity)) {
    const decided = await decideTrust(aboutAction(asked, action), decisions, trace);
    if (decided.effect === 'allow') continue;
    throw refuse(action, decided, denialDetail(decided));
  }
  requireSameSourceIdentity(request.sourceIdentity, caller);
  requireChainedDuration(durationSeconds, caller);
  requireDuration(durationSeconds, role);
  const claims = {
    tags,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    ...(inherited === undefined ? {} : descentFrom(inherited)),
  };
  return new GrantOfTrust(decision, role, { name: sessionName, durationSeconds, claims });
}

/**
 * Decides whether the holder of an identity token or assertion may assume a role. Only the role's trust policy counts, and it
 * must name the provider (IAM user guide, "Creating a role for OIDC federation").
 * @throws ServiceError ValidationError for a malformed ARN or a duration over the role's maximum, and AccessDenied, which is
 * the same for every reason
 * @throws what the trace throws while the call waits for a turn of the event loop
 */
export async function grantRoleToFederated(
  request: FederatedRoleRequest,
  { question, federation }: { readonly question: TrustQuestion; readonly federation: SessionFederation },
  { dependencies, trace }: UnsignedCall,
): Promise<TrustGrant> {
  const { sessionName, tags, sourceIdentity } = request;
  const roleArn = requireRoleArn(request.roleArn, dependencies.account.id);
  const role = dependencies.authentication.directory.role(roleArn);
  trace.add({ roleArn: role?.arn ?? recorded(roleArn) });
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const { provider } = federation;
  const decisions = new StrangersDecisions((share) => trace.turn?.(share, provider) ?? Promise.resolve());
  const refuse = (detail: string): Error =>
    stsError('AccessDenied', `Not authorized to perform ${question.action}`, { detail });
  if (role === undefined) throw refuse('the role does not exist');
  const asked = knownTrustCase({ identity: [] }, question, { roleArn, role });
  const decision = await decideTrust(asked, decisions, trace);
  if (decision.effect !== 'allow') throw refuse(denialDetail(decision));
  for (const action of furtherActions(tags, sourceIdentity)) {
    const decided = await decideTrust(aboutAction(asked, action), decisions, trace);
    if (decided.effect !== 'allow') throw refuse(`${action} is ${denialDetail(decided)}`);
  }
  requireDuration(durationSeconds, role);
  const claims = sourceIdentity === undefined ? { tags, federation } : { tags, federation, sourceIdentity };
  const granted = Math.min(durationSeconds, request.maxDurationSeconds ?? durationSeconds);
  return new GrantOfTrust(decision, role, { name: sessionName, durationSeconds: granted, claims });
}

// Inherited tags and an inherited source identity need the permissions too.
function furtherActions(tags: readonly SessionTag[], sourceIdentity: string | undefined): string[] {
  const actions: string[] = [];
  if (tags.length > 0) actions.push(tagSession);
  if (sourceIdentity !== undefined) actions.push(setSourceIdentity);
  return actions;
}

// A source identity stays the same along a whole chain.
function requireSameSourceIdentity(requested: string | undefined, caller: Caller): void {
  const inherited = claimsOf(caller)?.sourceIdentity;
  if (requested === undefined || inherited === undefined || requested === inherited) return;
  throw stsError('AccessDenied', 'The source identity of the calling session cannot be changed.');
}

async function decideTrust(
  { sets, query }: TrustCase,
  decisions: Decisions,
  trace: StsTrace,
): Promise<AccessDecision> {
  const startedAt = performance.now();
  const decision = settled(requireOwnConsent(await decisions.decide(sets, query), query));
  const durationUs = (performance.now() - startedAt) * 1000;
  const nearMiss = decision.effect === 'deny' ? decisions.nearest(sets, query, decision) : undefined;
  trace.add({ decision: decisionFacts({ ...decision, nearMiss }, durationUs) });
  return decision;
}

function requireRoleArn(text: string, accountId: string): string {
  const roleArn = fullRoleArn(text, accountId);
  if (roleArn === undefined) throw stsError('ValidationError', `${text.slice(0, 256)} is invalid`);
  return roleArn;
}
