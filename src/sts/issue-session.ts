import { claimsOf } from '../authenticate/caller.ts';
import { isoSeconds } from '../core/clock.ts';
import { maxTokenLength, TokenTooLargeError } from '../tokens/seal.ts';
import type { SessionTag } from '../tokens/session-claims.ts';
import type { SignedCall, UnsignedCall } from './action.ts';
import { type Grant, type Issued, type IssuedCredentials, issue, type TokenContent } from './credentials.ts';
import { stsError } from './errors.ts';
import type { ScopeGrant } from './grants/scope-grant.ts';
import { principalFacts } from './session-facts.ts';
import { checkPackedSize, checkSessionPolicies } from './session-policies.ts';

/** The parameters of a request that become part of the session, under their own names. */
export interface PassedIntoSession {
  readonly Policy: string | undefined;
  /** Each member has `arn`. */
  readonly PolicyArns: readonly ReadonlyMap<string, string>[];
  readonly tags: readonly SessionTag[];
  /** In bytes. */
  readonly MinimumSessionTokenSize?: number | undefined;
  /** Uses up a proof of identity that may give credentials only once. Called last, before the credentials are given out. */
  readonly useUp?: () => Promise<void>;
}

/** Credentials, with the packed size of what was passed. */
export interface IssuedSession {
  readonly credentials: IssuedCredentials;
  /** Percent. `undefined` when the request passed nothing into the session. */
  readonly packedPolicySize: number | undefined;
  readonly tokenSize: TokenSize;
}

/** The members of a result that say how large the session token is (AWS STS API Reference, AssumeRole). */
export interface TokenSize {
  // Lets a response tree hold it as it is.
  readonly [name: string]: number;
  /** Percent of the longest token that is accepted, rounded up. */
  readonly SessionTokenUtilization: number;
  /** Bytes. */
  readonly SessionTokenSize: number;
}

/**
 * Issues the session that a grant proves, with the session policies of the request. `nowMs` is when the request arrived, in
 * milliseconds since the Unix epoch. A session that has ended since it called gets none.
 * @throws ServiceError PackedPolicyTooLarge, MalformedPolicyDocument or ValidationError
 * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
 * @throws StateError when the shared state is not available
 */
export async function issueSession(
  grant: Exclude<Grant, ScopeGrant>,
  { Policy, PolicyArns, tags, MinimumSessionTokenSize, useUp }: PassedIntoSession,
  call: SignedCall | UnsignedCall,
  nowMs: number,
): Promise<IssuedSession> {
  const policyArns = arnsOf(PolicyArns);
  const policies = checkSessionPolicies(Policy, policyArns, call.dependencies.authentication.directory);
  const size = checkPackedSize(policies, grant.claims);
  const isAnythingPassed = Policy !== undefined || policyArns.length > 0 || tags.length > 0;
  const content = { ...policies, minTokenLength: MinimumSessionTokenSize };
  const credentials = await issueConfirmed(grant, content, call, { nowMs, useUp });
  return {
    credentials,
    packedPolicySize: isAnythingPassed ? size : undefined,
    tokenSize: tokenSizeOf(credentials),
  };
}

/**
 * Issues the narrower session of a scope grant, which keeps the session policies of the calling session. Parameters and errors
 * are as those of {@link issueSession}.
 */
export async function issueScopedSession(
  grant: ScopeGrant,
  { MinimumSessionTokenSize }: Pick<PassedIntoSession, 'MinimumSessionTokenSize'>,
  call: SignedCall,
  nowMs: number,
): Promise<Omit<IssuedSession, 'packedPolicySize'>> {
  const content = { ...grant.sessionPolicies, minTokenLength: MinimumSessionTokenSize };
  const credentials = await issueConfirmed(grant, content, call, { nowMs });
  return { credentials, tokenSize: tokenSizeOf(credentials) };
}

async function issueConfirmed(
  grant: Grant,
  content: TokenContent,
  call: SignedCall | UnsignedCall,
  { nowMs, useUp }: { readonly nowMs: number; readonly useUp?: PassedIntoSession['useUp'] },
): Promise<IssuedCredentials> {
  const { dependencies, trace } = call;
  if ('authenticated' in call) {
    const claims = claimsOf(call.authenticated.caller);
    // Decisions can take long. What is issued after a revocation has been acknowledged would outlive it.
    if (claims !== undefined) await dependencies.authentication.revocations.confirm(claims);
    // INVARIANT: nothing is waited for between here and issuing.
    call.authenticated.recheck(dependencies.clock.now());
  }
  const issued = issueWithin(grant, () => issue(grant, content, dependencies, nowMs));
  await useUp?.();
  const { credentials, sessionId } = issued;
  trace.add(principalFacts(grant.principal));
  trace.add({
    issuedCredentials: true,
    issuedSessionId: sessionId,
    issuedAccessKeyId: credentials.AccessKeyId,
    expiration: isoSeconds(credentials.Expiration.getTime()),
  });
  return credentials;
}

/** The ARNs in the parameter `PolicyArns`. */
export function arnsOf(members: PassedIntoSession['PolicyArns']): readonly string[] {
  return members.flatMap((member) => member.get('arn') ?? []);
}

function tokenSizeOf({ SessionToken }: IssuedCredentials): TokenSize {
  // A token is ASCII.
  const bytes = SessionToken.length;
  return { SessionTokenUtilization: Math.ceil((bytes / maxTokenLength) * 100), SessionTokenSize: bytes };
}

// The packed size is within its limit here. Scope-down policies, tags inherited along a chain, and those of an assertion, which are
// counted in characters, can still make the token too long.
function issueWithin({ claims }: Grant, issueIt: () => Issued): Issued {
  try {
    return issueIt();
  } catch (error) {
    if (!(error instanceof TokenTooLargeError)) throw error;
    const layers = 'scopeDown' in claims ? (claims.scopeDown ?? []) : [];
    const sizes = layers.map(({ length }) => length).join(', ');
    const taken = layers.length === 0 ? '' : `; its scope-down policies have ${sizes} characters`;
    throw stsError('PackedPolicyTooLarge', `Packing failed: ${error.message}${taken}.`, { cause: error });
  }
}
