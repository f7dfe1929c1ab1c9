import type { AuthenticationFailure, FederatedUser } from '../core/request-record.ts';
import {
  type Identities,
  IdentityFault,
  type IdentityReason,
  type Proofs,
  type WaitForTurn,
  type WaitObserver,
} from '../identity/provider.ts';
import type { UnsignedCall } from './action.ts';
import { type StsErrorCode, stsError } from './errors.ts';
import { recorded, type SessionFacts } from './session-facts.ts';
import { sessionNameOf } from './session-name.ts';

/** The STS error code for each reason (AWS STS API Reference, AssumeRoleWithWebIdentity, Errors). */
const codes: Readonly<Record<IdentityReason, StsErrorCode>> = {
  malformed: 'InvalidIdentityToken',
  unknown_issuer: 'InvalidIdentityToken',
  wrong_audience: 'InvalidIdentityToken',
  bad_signature: 'InvalidIdentityToken',
  no_key: 'InvalidIdentityToken',
  not_yet_valid: 'InvalidIdentityToken',
  bad_claims: 'InvalidIdentityToken',
  replayed: 'InvalidIdentityToken',
  expired: 'ExpiredTokenException',
  provider_busy: 'Throttling',
  provider_unreachable: 'IDPCommunicationError',
  bad_answer: 'InvalidIdentityToken',
  provider_rejected: 'IDPRejectedClaim',
  provider_denied: 'AccessDenied',
};

/**
 * How a refused proof of identity counts among the authentication failures. Not counted: a provider that did not give a usable
 * answer, which has metrics of its own.
 */
const failures: Readonly<Record<IdentityReason, AuthenticationFailure | undefined>> = {
  malformed: 'malformed',
  unknown_issuer: 'unknown_key',
  wrong_audience: 'malformed',
  bad_signature: 'signature_mismatch',
  no_key: 'unknown_key',
  not_yet_valid: 'clock_skew',
  bad_claims: 'malformed',
  replayed: 'revoked',
  expired: 'expired_token',
  provider_busy: undefined,
  provider_unreachable: undefined,
  bad_answer: undefined,
  provider_rejected: 'unknown_key',
  provider_denied: 'unknown_key',
};

/** Reading a token up to this length costs no more than the rest of its request. */
const usualTokenLength = 4_096;

/** Longer tokens that are read in one turn of the event loop, all together: some milliseconds. */
const tokenCharactersPerTurn = 262_144;

/** Assertions that are judged in one turn, all together. Those with as many elements as are allowed take the longest. */
const assertionCharactersPerTurn = 16_384;

/** The time that one takes does not grow with its length from here on: elements are limited. */
const maxTurnsOfAssertion = 3;

/**
 * The part of a turn of the event loop that judging a proof takes; 0 for what costs no more than the rest of its request.
 * Strangers send tokens and assertions, and an assertion around a signature that the provider has made is read to its end.
 */
const turnShares: { readonly [Form in keyof Proofs]: (proof: Proofs[Form]) => number } = {
  webIdentity: ({ token }) => (token.length > usualTokenLength ? token.length / tokenCharactersPerTurn : 0),
  saml: ({ assertion }) => Math.min(assertion.length / assertionCharactersPerTurn, maxTurnsOfAssertion),
  customToken: () => 0,
};

/** What a verified proof says, for the record. */
const identityFacts: { readonly [Form in keyof Identities]: (identity: Identities[Form]) => SessionFacts } = {
  webIdentity: ({ subject, audience, sourceIdentity }) => ({
    subject: recorded(subject),
    audience: recorded(audience),
    sourceIdentity: sourceIdentity && recorded(sourceIdentity),
  }),
  saml: ({ subject, recipient, sessionName, sourceIdentity }) => ({
    subject: recorded(subject),
    audience: recorded(recipient),
    sessionName: recorded(sessionName),
    sourceIdentity: sourceIdentity && recorded(sourceIdentity),
  }),
  customToken: ({ user }) => ({ subject: recorded(user), sessionName: sessionNameOf(user) }),
};

/** Who a verified proof is of, as CloudTrail names users of identity providers. */
const federatedUsers: { readonly [Form in keyof Identities]: (identity: Identities[Form]) => FederatedUser } =
  {
    webIdentity: ({ providerArn, audience, subject }) =>
      federatedUser(`${providerArn}:${recorded(audience)}`, subject, providerArn),
    saml: ({ nameQualifier, subject }) => federatedUser(nameQualifier, subject, nameQualifier),
    customToken: ({ provider, user }) => federatedUser(provider, user, provider),
  };

function federatedUser(namespace: string, subject: string, identityProvider: string): FederatedUser {
  const userName = recorded(subject);
  return { principalId: `${namespace}:${userName}`, userName, identityProvider };
}

/**
 * Identifies who presents a proof. The provider is recorded in the trace, also when the proof is refused.
 * @throws ServiceError InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError, IDPRejectedClaim, AccessDenied with
 * the provider's own reason, or Throttling when too many calls wait for the provider
 * @throws what the trace throws while the call waits for a turn of the event loop
 */
export async function federate<Form extends keyof Proofs>(
  form: Form,
  proof: Proofs[Form],
  call: UnsignedCall,
): Promise<Identities[Form]> {
  const { clock, identityProviders } = call.dependencies;
  const share = turnShares[form](proof);
  if (share > 0) await call.trace.turn?.(share);
  const asked = identityProviders[form](proof, clock.now(), waitObserver(call), waitForTurn(call));
  const identity = await orStsError(asked, call);
  call.trace.add({ identityProvider: identity.provider });
  call.trace.add(identityFacts[form](identity));
  call.trace.add({ federatedUser: federatedUsers[form](identity) });
  return identity;
}

function waitObserver({ trace }: UnsignedCall): WaitObserver | undefined {
  return trace.waitsFor === undefined ? undefined : (provider) => trace.waitsFor?.(provider) ?? (() => {});
}

function waitForTurn({ trace }: UnsignedCall): WaitForTurn {
  return (share, providerArn) => trace.turn?.(share, providerArn) ?? Promise.resolve();
}

/**
 * Converts an identity fault to an STS error, and records its provider and how it counts.
 * @throws ServiceError
 */
export async function orStsError<T>(asked: Promise<T>, { trace }: UnsignedCall): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof IdentityFault)) throw error;
    const { reason, message, provider, detail } = error;
    trace.add({ authenticationFailure: failures[reason] });
    if (provider !== undefined) trace.add({ identityProvider: provider });
    throw stsError(codes[reason], message, { detail: detail ?? reason, cause: error });
  }
}
