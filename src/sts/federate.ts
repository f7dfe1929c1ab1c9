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

/** What each reason is called in STS (AWS STS API Reference, AssumeRoleWithWebIdentity, Errors). */
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
 * Finds out who presents an identity token, perhaps together with an access token. The provider becomes a fact of the request, also of a refused one.
 * Throws InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError, IDPRejectedClaim, and Throttling when too many
 * calls wait for the provider.
 */
export async function federate(
  token: string,
  circumstances: Pick<TokenCircumstances, 'accessToken' | 'provider'>,
  call: UnsignedCall,
): Promise<FederatedIdentity> {
  const { clock, identityProviders } = call.dependencies;
  const observe = waitObserver(call);
  return identified(identityProviders.identify(token, clock.now(), { ...circumstances, observe }), call);
}

/**
 * Finds out who presents a SAML assertion to the provider of that ARN. Throws InvalidIdentityToken and
 * ExpiredTokenException.
 */
export async function federateSaml(
  principalArn: string,
  assertion: string,
  call: UnsignedCall,
): Promise<SamlIdentity> {
  const { clock, samlProviders } = call.dependencies;
  const identity = await identified(samlProviders.identify(principalArn, assertion, clock.now()), call);
  return { ...identity, useUp: () => withCode(identity.useUp(), call) };
}

/**
 * Finds out whose token it is, as the webhook of that provider says. Throws InvalidIdentityToken, IDPCommunicationError,
 * Throttling, and AccessDenied with the webhook's reason.
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

/** Reports the provider of an identity or of a fault, and gives the fault its code. */
async function identified<I extends { readonly provider: string }>(
  asked: Promise<I>,
  call: UnsignedCall,
): Promise<I> {
  const identity = await withCode(asked, call);
  call.trace.add({ identityProvider: identity.provider });
  return identity;
}

/** Gives a fault of a provider its code, and reports which provider it is of. */
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
