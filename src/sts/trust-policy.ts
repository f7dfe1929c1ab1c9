import { performance } from 'node:perf_hooks';
import type { Caller } from '../authenticate/caller.ts';
import { type AccessDecision, decideAccess, decisionFacts } from '../authorize/decide.ts';
import { policyPrincipal } from '../authorize/gather-policies.ts';
import { globalKeys } from '../authorize/global-keys.ts';
import { formatArn, parseArn } from '../core/arn.ts';
import type { Role } from '../directory/role.ts';
import type { PolicySets } from '../iam/combine.ts';
import { explainDenial } from '../iam/explain.ts';
import type { AuthorizationQuery } from '../iam/query.ts';
import { type ContextEntry, RequestContext } from '../iam/request-context.ts';
import type { SignedCall } from './action.ts';
import { stsError } from './errors.ts';

/** What AssumeRole asks for, as far as trust is decided by it. */
export interface RoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  /** `undefined` asks for the default of an hour. */
  readonly durationSeconds: number | undefined;
  readonly externalId: string | undefined;
}

class RoleTrustGrant {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #decision: AccessDecision;
  readonly role: Role;
  readonly sessionName: string;
  readonly durationSeconds: number;

  constructor(decision: AccessDecision, role: Role, sessionName: string, durationSeconds: number) {
    this.#decision = decision;
    this.role = role;
    this.sessionName = sessionName;
    this.durationSeconds = durationSeconds;
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

const action = 'sts:AssumeRole';
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
    action,
    resource: roleArn,
    context: trustContext(request, durationSeconds, call),
  };
  // A role that does not exist trusts nobody; everything else goes the same way, so existence does not show.
  const sets: PolicySets = { ...own, resource: role === undefined ? [] : [role.trustPolicy] };
  const startedAt = performance.now();
  const decision = decideAccess(sets, {
    ...query,
    context: role === undefined ? query.context : withRoleTags(query.context, role.tags),
  });
  trace.add({ decision: decisionFacts(decision, (performance.now() - startedAt) * 1000) });
  if (decision.effect !== 'allow' || role === undefined) {
    const detail = role === undefined ? 'the role does not exist' : denialDetail(decision);
    throw stsError('AccessDenied', denialMessage(caller.arn, query, decideAccess(own, query)), { detail });
  }
  requireDuration(durationSeconds, role, caller);
  requireNothingInherited(caller);
  return new RoleTrustGrant(decision, role, request.sessionName, durationSeconds);
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
    ['aws:ResourceAccount', dependencies.account.id],
    ['sts:RoleSessionName', sessionName],
    // The duration that would be granted, default included: otherwise a policy that limits it refuses the default.
    ['sts:DurationSeconds', String(durationSeconds)],
  ];
  if (externalId !== undefined) entries.push(['sts:ExternalId', externalId]);
  return new RequestContext(entries, roleTagKeys);
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

function denialDetail({ fault, isExplicitDeny, policyType }: AccessDecision): string {
  if (fault !== undefined) return `deciding failed: ${String(fault)}`;
  return `${isExplicitDeny ? 'explicitly denied' : 'not allowed'} by the ${policyType} policies`;
}

/**
 * The public text of a denial. Its end depends on the caller's own policies alone, never on the role: what the trust
 * policy says, and whether there is one, does not show.
 */
function denialMessage(callerArn: string, query: AuthorizationQuery, own: AccessDecision): string {
  const reason = ownReason(own);
  const denial = `User: ${callerArn} is not authorized to perform: ${action} on resource: ${query.resource}`;
  return reason === undefined ? denial : `${denial} ${explainDenial({ ...own, ...reason }, action)}`;
}

const ownPolicyTypes = ['identity', 'boundary', 'session'] as const;

/** Which of the caller's own sets refuses; `undefined` when all of them allow. */
function ownReason({
  sets,
}: AccessDecision): Pick<AccessDecision, 'policyType' | 'isExplicitDeny'> | undefined {
  const denying = ownPolicyTypes.find((policyType) => sets[policyType] === 'deny');
  if (denying !== undefined) return { policyType: denying, isExplicitDeny: true };
  const silent = ownPolicyTypes.find((policyType) => sets[policyType] === 'none');
  return silent === undefined ? undefined : { policyType: silent, isExplicitDeny: false };
}

// Judged after the decision: the maximum of a role is not for callers who may not assume it.
function requireDuration(durationSeconds: number, role: Role, caller: Caller): void {
  if (caller.kind === 'role-session' && durationSeconds > maxChainedDurationSeconds) {
    throw stsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
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
