import type { FederatedIdentity } from '../identity/federated-identity.ts';
import { IdentityFault, type IdentityReason } from '../identity/provider.ts';
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
  provider_unreachable: 'IDPCommunicationError',
  bad_answer: 'InvalidIdentityToken',
  provider_rejected: 'IDPRejectedClaim',
  provider_denied: 'AccessDenied',
};

/**
 * Finds out who presents an identity token. The provider becomes a fact of the request, also of a refused one.
 * Throws InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError and IDPRejectedClaim.
 */
export async function federate(
  token: string,
  { raw, dependencies, trace }: UnsignedCall,
): Promise<FederatedIdentity> {
  try {
    const identity = await dependencies.identityProviders.identify(token, raw.receivedAtMs);
    trace.add({ identityProvider: identity.provider });
    return identity;
  } catch (error) {
    if (!(error instanceof IdentityFault)) throw error;
    const { reason, message, provider, detail } = error;
    if (provider !== undefined) trace.add({ identityProvider: provider });
    throw stsError(codes[reason], message, { detail: detail ?? reason, cause: error });
  }
}
