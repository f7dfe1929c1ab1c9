import type { CustomTokenIdentity } from '../identity/custom-token-identity.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';
import {
  IdentityFault,
  type IdentityReason,
  type TokenCircumstances,
  type WaitObserver,
} from '../identity/provider.ts';
import type { SamlIdentity } from '../identity/saml-identity.ts';
import type { UnsignedCall } from './action.ts';
import { type StsErrorCode, stsError } from './errors.ts';

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

/** Reading a token up to this length costs no more than the rest of its request. */
const usualTokenLength = 4_096;

/** Longer tokens that are read in one turn of the event loop, all together: some milliseconds. */
const tokenCharactersPerTurn = 262_144;

/** Assertions that are judged in one turn, all together. Those with as many elements as are allowed take the longest. */
const assertionCharactersPerTurn = 16_384;

/** The time that one takes does not grow with its length from here on: elements are limited. */
const maxTurnsOfAssertion = 3;

/**
 * Identifies the holder of an identity token. The provider is recorded in the trace, also when the token is refused.
 * @throws ServiceError InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError, IDPRejectedClaim, or Throttling when
 * too many calls wait for the provider
 * @throws what the trace throws while the call waits for a turn of the event loop
 */
export async function federate(
  token: string,
  circumstances: Pick<TokenCircumstances, 'accessToken' | 'provider'>,
  call: UnsignedCall,
): Promise<FederatedIdentity> {
  const { clock, identityProviders } = call.dependencies;
  if (token.length > usualTokenLength) await call.trace.turn?.(token.length / tokenCharactersPerTurn);
  const observe = waitObserver(call);
  return identified(identityProviders.identify(token, clock.now(), { ...circumstances, observe }), call);
}

/**
 * Identifies the holder of a SAML assertion by the provider of that ARN.
 * @throws ServiceError InvalidIdentityToken or ExpiredTokenException
 * @throws what the trace throws while the call waits for a turn of the event loop
 */
export async function federateSaml(
  principalArn: string,
  assertion: string,
  call: UnsignedCall,
): Promise<SamlIdentity> {
  const { clock, samlProviders } = call.dependencies;
  // Strangers send assertions, and one around a signature that the provider has made is read to its end.
  await call.trace.turn?.(Math.min(assertion.length / assertionCharactersPerTurn, maxTurnsOfAssertion));
  const identity = await identified(samlProviders.identify(principalArn, assertion, clock.now()), call);
  return { ...identity, useUp: () => withCode(identity.useUp(), call) };
}

/**
 * Asks the webhook of that provider who holds a token.
 * @throws ServiceError InvalidIdentityToken, IDPCommunicationError, Throttling, or AccessDenied with the webhook's reason
 */
export async function federateCustomToken(
  provider: string,
  token: string,
  call: UnsignedCall,
): Promise<CustomTokenIdentity> {
  return identified(
    call.dependencies.customTokenProviders.identify(provider, token, waitObserver(call)),
    call,
  );
}

function waitObserver({ trace }: UnsignedCall): WaitObserver | undefined {
  return trace.waitsFor === undefined ? undefined : (provider) => trace.waitsFor?.(provider) ?? (() => {});
}

/** Records the provider of the identity, or of the fault, and converts a fault to an STS error. */
async function identified<I extends { readonly provider: string }>(
  asked: Promise<I>,
  call: UnsignedCall,
): Promise<I> {
  const identity = await withCode(asked, call);
  call.trace.add({ identityProvider: identity.provider });
  return identity;
}

/** Converts an identity fault to an STS error, and records its provider. */
async function withCode<T>(asked: Promise<T>, { trace }: UnsignedCall): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof IdentityFault)) throw error;
    const { reason, message, provider, detail } = error;
    if (provider !== undefined) trace.add({ identityProvider: provider });
    throw stsError(codes[reason], message, { detail: detail ?? reason, cause: error });
  }
}
