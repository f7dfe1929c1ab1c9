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
  /** True when the provider's users act as the provider's own role, as in MinIO, and not as roles of the directory. */
  readonly hasOwnRole: boolean;
  /** True when one of the token's audiences is this provider's. Decides which provider judges a token, nothing more. */
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

/** What comes along with a token, or is known beside it. */
export interface TokenCircumstances {
  /** An access token of the same user, for providers whose settings ask UserInfo. */
  readonly accessToken?: string | undefined;
  /** Hears when the call waits for a provider. */
  readonly observe?: WaitObserver | undefined;
  /**
   * The provider whose own role is asked for, by its configured name; `undefined` for a role of the directory. Chooses among
   * the providers that the token's issuer and audiences allow: a token may have audiences of several.
   */
  readonly provider?: string | undefined;
}

/** Every configured identity provider, behind the one question the token service has. */
export interface IdentityProviders {
  /**
   * Finds out who presents a token.
   * @throws IdentityFault
   */
  identify(token: string, nowMs: number, circumstances?: TokenCircumstances): Promise<FederatedIdentity>;
}
