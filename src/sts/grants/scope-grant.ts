import { claimsOf } from '../../authenticate/caller.ts';
import type { ContextEntry } from '../../iam/key-table.ts';
import {
  maxScopeDownPolicies,
  type SessionClaims,
  type SessionPrincipal,
} from '../../tokens/session-claims.ts';
import type { SignedCall } from '../action.ts';
import { stsError } from '../errors.ts';
import { refuseExplicitDeny } from '../require-permission.ts';
import { requireScopeDownPolicy } from '../session-policies.ts';
import { descentFrom } from './descent.ts';

/** What the narrower session takes over from the calling one, and what it adds. */
type ScopedClaims = Omit<
  SessionClaims,
  'sessionId' | 'accessKeyId' | 'seed' | 'principal' | 'expiresAt' | 'policy' | 'policyArns'
>;

class GrantOfScope {
  // A private field makes the type nominal: no object literal and no other class is assignable to it.
  readonly #session: SessionClaims;
  readonly durationSeconds: number;
  readonly claims: ScopedClaims;

  constructor(session: SessionClaims, durationSeconds: number, layers: readonly string[]) {
    this.#session = session;
    this.durationSeconds = durationSeconds;
    const { sessionId, accessKeyId, seed, principal, expiresAt, policy, policyArns, ...kept } = session;
    // With all that is kept also the time of issue: a policy or a revocation that looks at it treats both sessions alike.
    this.claims = {
      ...kept,
      ...descentFrom(session),
      ...(layers.length === 0 ? {} : { scopeDown: layers }),
    };
  }

  /** Of the calling session. */
  get principal(): SessionPrincipal {
    return this.#session.principal;
  }

  /** Of the calling session. They go on limiting the narrower one. */
  get sessionPolicies(): Pick<SessionClaims, 'policy' | 'policyArns'> {
    const { policy, policyArns } = this.#session;
    return policy === undefined ? { policyArns } : { policy, policyArns };
  }
}

/**
 * Proof that a session with this principal, these policies and no more than this duration is what a calling session may make of
 * itself. The class is not exported, so only this file can create one.
 */
export type ScopeGrant = GrantOfScope;

/** The parameters of GetScopedCredentials that narrow the session. */
export interface Narrowing {
  readonly policy: string | undefined;
  readonly durationSeconds: number | undefined;
}

/** The action, which policies can deny and need not allow. */
export const getScopedCredentials = 'sts:GetScopedCredentials';

/**
 * Grants a calling session a narrower one of the same identity (IAM user guide, "Permissions for GetScopedCredentials"). It needs
 * no permission, and an explicit Deny in any set of the caller refuses it. Nothing that the calling session has is widened: its
 * policies go on applying, its expiry is the latest one possible, and the new scope-down policy is added to its own.
 * @throws ServiceError AccessDenied for an explicit Deny and for a fourth scope-down policy, ValidationError when nothing would be
 * narrowed, MalformedPolicyDocument, InsufficientSessionLifetime, PackedPolicyTooLarge for too long a chain, and
 * InvalidSubjectCredentials for a session that has lost a policy
 * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
 * @throws ClientGoneError
 */
export async function grantScope(
  { policy, durationSeconds }: Narrowing,
  call: SignedCall,
): Promise<ScopeGrant> {
  const { caller, raw } = call.authenticated;
  const session = claimsOf(caller);
  // INVARIANT: the action's caller rule admits sessions alone.
  if (session === undefined) throw new Error(`a ${caller.kind} has no session`);
  if (policy === undefined && durationSeconds === undefined) {
    throw stsError('ValidationError', 'At least one of Policy and DurationSeconds is required.');
  }
  requireWhole(session, call);
  const leftSeconds = session.expiresAt - Math.floor(raw.receivedAtMs / 1000);
  const keys = scopeKeys(durationSeconds ?? leftSeconds, call.dependencies.account.id);
  await refuseExplicitDeny(getScopedCredentials, scopeResources(caller.arn), call, keys);
  const layers = [...(session.scopeDown ?? []), ...(policy === undefined ? [] : [policy])];
  if (policy !== undefined) {
    if (layers.length > maxScopeDownPolicies) throw tooManyLayers();
    requireScopeDownPolicy(policy);
  }
  return new GrantOfScope(session, requireLifetime(durationSeconds, leftSeconds), layers);
}

/** The resources that a Deny can name: policies may call the action one without a resource, or name the session. */
export function scopeResources(callerArn: string): readonly string[] {
  return ['*', callerArn];
}

/** The condition keys of a narrower session, which is in the account and has a duration, given or not. */
export function scopeKeys(durationSeconds: number, accountId: string): ContextEntry[] {
  return [
    ['aws:ResourceAccount', accountId],
    ['sts:DurationSeconds', String(durationSeconds)],
  ];
}

/** Refuses a session whose managed session policies no longer exist. It may do nothing itself. */
function requireWhole({ policyArns }: SessionClaims, { dependencies }: SignedCall): void {
  const lost = policyArns.find(
    (arn) => dependencies.authentication.directory.managedPolicy(arn) === undefined,
  );
  if (lost === undefined) return;
  throw stsError('InvalidSubjectCredentials', undefined, {
    detail: `the session policy ${lost} no longer exists`,
  });
}

function tooManyLayers(): Error {
  return stsError(
    'AccessDenied',
    `The session already has ${maxScopeDownPolicies} scope-down policies, which is the maximum. It can be shortened without a Policy.`,
  );
}

function requireLifetime(durationSeconds: number | undefined, leftSeconds: number): number {
  if (durationSeconds === undefined || durationSeconds <= leftSeconds) return durationSeconds ?? leftSeconds;
  throw stsError(
    'InsufficientSessionLifetime',
    `The requested DurationSeconds of ${durationSeconds} exceeds the ${leftSeconds} seconds that are left of the calling session.`,
  );
}
