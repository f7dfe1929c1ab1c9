/*
 * This folder owns the identity providers, which identify callers without an access key. Each kind has a folder.
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
  /** The exact value that a token's `iss` must have. */
  readonly issuer: string;
  /** True when users of the provider act as its own role, as in MinIO, rather than as roles of the directory. */
  readonly hasOwnRole: boolean;
  /** True when one of the token's audiences is accepted. Only used to choose the provider that judges a token. */
  accepts(token: UnverifiedToken): boolean;
  /**
   * Checks everything about a token, including issuer and audience. The access token is used for UserInfo, if the settings ask
   * for it.
   * @throws IdentityFault
   */
  verify(
    token: UnverifiedToken,
    nowMs: number,
    accessToken?: string,
    observe?: WaitObserver,
  ): Promise<FederatedIdentity>;
}

/** What a request says besides the token. */
export interface TokenCircumstances {
  /** An access token of the same user, for providers that use UserInfo. */
  readonly accessToken?: string | undefined;
  /** Told when the call waits for a provider. */
  readonly observe?: WaitObserver | undefined;
  /**
   * The configured name of the provider whose own role is requested; `undefined` for a role of the directory. Decides between
   * providers when a token has audiences of several.
   */
  readonly provider?: string | undefined;
}

/** All configured identity providers, as STS sees them. */
export interface IdentityProviders {
  /**
   * Identifies the holder of a token.
   * @throws IdentityFault
   */
  identify(token: string, nowMs: number, circumstances?: TokenCircumstances): Promise<FederatedIdentity>;
}
