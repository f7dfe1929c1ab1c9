import { claimsOf } from '../authenticate/caller.ts';
import { TokenTooLargeError } from '../tokens/seal.ts';
import type { SessionTag } from '../tokens/session-claims.ts';
import type { SignedCall, UnsignedCall } from './action.ts';
import { type Issued, type IssuedCredentials, issue } from './credentials.ts';
import { stsError } from './errors.ts';
import type { OwnerGrant } from './grants/owner-grant.ts';
import type { ProviderGrant } from './grants/provider-grant.ts';
import type { TrustGrant } from './grants/role-grant.ts';
import { checkPackedSize, checkSessionPolicies } from './session-policies.ts';

/** The parameters of a request that become part of the session, under their own names. */
export interface PassedIntoSession {
  readonly Policy: string | undefined;
  /** Each member has `arn`. */
  readonly PolicyArns: readonly ReadonlyMap<string, string>[];
  readonly tags: readonly SessionTag[];
  /** Uses up a proof of identity that may give credentials only once. Called last, before the credentials are given out. */
  readonly useUp?: () => Promise<void>;
}

/** Credentials, with the packed size of what was passed. */
export interface IssuedSession {
  readonly credentials: IssuedCredentials;
  /** Percent. `undefined` when the request passed nothing into the session. */
  readonly packedPolicySize: number | undefined;
}

/**
 * Issues the session that a grant proves, with the session policies of the request. `nowMs` is when the request arrived, in
 * milliseconds since the Unix epoch. A session that has ended since it called gets none.
 * @throws ServiceError PackedPolicyTooLarge, MalformedPolicyDocument or ValidationError
 * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
 * @throws StateFault when the shared state is not available
 */
export async function issueSession(
  grant: TrustGrant | OwnerGrant | ProviderGrant,
  { Policy, PolicyArns, tags, useUp }: PassedIntoSession,
  call: SignedCall | UnsignedCall,
  nowMs: number,
): Promise<IssuedSession> {
  const { dependencies, trace } = call;
  const policyArns = arnsOf(PolicyArns);
  const policies = checkSessionPolicies(Policy, policyArns, dependencies.authentication.directory);
  const size = checkPackedSize(policies, grant.claims);
  const isAnythingPassed = Policy !== undefined || policyArns.length > 0 || tags.length > 0;
  if ('authenticated' in call) {
    const claims = claimsOf(call.authenticated.caller);
    // Decisions can take long. What is issued after a revocation has been acknowledged would outlive it.
    if (claims !== undefined) await dependencies.authentication.revocations.confirm(claims);
    // INVARIANT: nothing is waited for between here and issuing.
    call.authenticated.recheck(dependencies.clock.now());
  }
  const { credentials, sessionId } = issueWithin(() => issue(grant, policies, dependencies, nowMs));
  await useUp?.();
  trace.add({ issuedCredentials: true, issuedSessionId: sessionId });
  return { credentials, packedPolicySize: isAnythingPassed ? size : undefined };
}

/** The ARNs in the parameter `PolicyArns`. */
export function arnsOf(members: PassedIntoSession['PolicyArns']): readonly string[] {
  return members.flatMap((member) => member.get('arn') ?? []);
}

// The packed size is within its limit here. Tags inherited along a chain, and those of an assertion, which are counted in
// characters, can still make the token too long.
function issueWithin(issueIt: () => Issued): Issued {
  try {
    return issueIt();
  } catch (error) {
    if (!(error instanceof TokenTooLargeError)) throw error;
    throw stsError('PackedPolicyTooLarge', `Packing failed: ${error.message}.`, { cause: error });
  }
}
