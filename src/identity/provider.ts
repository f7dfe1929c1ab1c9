/*
 * This folder owns the identity providers, which vouch for callers without an access key. Each kind has a folder.
 * In: the token or assertion of an STS request, and the providers' settings.
 * Out: a verified identity, or an `IdentityFault`.
 * It never decides which role an identity may assume; `sts` does.
 * It never trusts a claim before the token's signature, or the provider itself, has confirmed it.
 * It reaches providers through `outbound` only.
 */

import type { FederatedIdentity } from './federated-identity.ts';
import type { WaitObserver } from './provider-room.ts';
import type { UnverifiedToken } from './unverified-token.ts';

export { IdentityFault, type IdentityReason } from './identity-fault.ts';
export type { WaitObserver } from './provider-room.ts';

/** One configured identity provider. */
export interface IdentityProvider {
  /** The configured name. */
  readonly name: string;
  /** What a token's `iss` must be, exactly. */
  readonly issuer: string;
  /** Whether one of the token's audiences is this provider's. Decides which provider judges a token, nothing more. */
  accepts(token: UnverifiedToken): boolean;
  /**
   * Checks everything about a token, issuer and audience included. The access token that came along is for asking the
   * provider about the user, where its settings say so. Throws `IdentityFault`.
   */
  verify(
    token: UnverifiedToken,
    nowMs: number,
    accessToken?: string,
    observe?: WaitObserver,
  ): Promise<FederatedIdentity>;
}

/** Every configured identity provider, behind the one question the token service has. */
export interface IdentityProviders {
  /**
   * Who presents this token, perhaps together with an access token; the observer hears when the call waits for a provider.
   * Throws `IdentityFault`.
   */
  identify(
    token: string,
    nowMs: number,
    accessToken?: string,
    observe?: WaitObserver,
  ): Promise<FederatedIdentity>;
}
