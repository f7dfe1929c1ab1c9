/*
 * This folder owns the identity providers, which identify callers without an access key. Each kind has a folder.
 * In: the token or assertion of an STS request, and the providers' settings.
 * Out: a verified identity, or an `IdentityFault`.
 * It never decides which role an identity may assume; `sts` does.
 * It never trusts a claim before the token's signature, or the provider itself, has confirmed it.
 * It reaches providers through `outbound` only.
 */

import type { CustomTokenIdentity } from './custom-token-identity.ts';
import type { FederatedIdentity } from './federated-identity.ts';
import type { WaitObserver } from './provider-room.ts';
import type { SamlIdentity } from './saml-identity.ts';
import type { UnverifiedToken } from './unverified-token.ts';

export { IdentityFault, type IdentityReason } from './identity-fault.ts';
export type { WaitObserver } from './provider-room.ts';

/** What requests present, by the form of the proof: one form for each STS action that takes one. */
export interface Proofs {
  /** A signed token that names its issuer. */
  readonly webIdentity: {
    readonly token: string;
    /** An access token of the same user, for providers that use UserInfo. */
    readonly accessToken?: string | undefined;
    /**
     * The configured name of the provider whose own role is requested; `undefined` for a role of the directory. Decides between
     * providers when a token has audiences of several.
     */
    readonly provider?: string | undefined;
  };
  /** The base64 of a SAML response. Only the provider of that ARN is asked. */
  readonly saml: { readonly principalArn: string; readonly assertion: string };
  /** A token without a form of its own. Only the provider of that name is asked. */
  readonly customToken: { readonly provider: string; readonly token: string };
}

/** What a provider finds in a proof of each form. */
export interface Identities extends Record<keyof Proofs, { readonly provider: string }> {
  readonly webIdentity: FederatedIdentity;
  /** The assertion is not used up. */
  readonly saml: SamlIdentity;
  readonly customToken: CustomTokenIdentity;
}

/**
 * All configured identity providers, as STS sees them: for each form of proof, identifies who presents one. The observer is
 * told when the call waits for a provider.
 * @throws IdentityFault
 */
export type IdentityProviders = {
  readonly [Form in keyof Proofs]: (
    proof: Proofs[Form],
    nowMs: number,
    observe?: WaitObserver,
  ) => Promise<Identities[Form]>;
};

/** One configured identity provider, by the form of proof that it judges. Every kind implements one of them. */
export type IdentityProvider = WebIdentityProvider | AssertionProvider | PlainTokenProvider;

interface NamedProvider {
  /** The configured name. */
  readonly name: string;
  /** Checks at start-up that the provider is reachable. Only the observer learns the result. */
  probe?(): Promise<void>;
}

/** Judges signed tokens that name their issuer. */
export interface WebIdentityProvider extends NamedProvider {
  readonly form: 'webIdentity';
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

/** Judges SAML assertions. */
export interface AssertionProvider extends NamedProvider {
  readonly form: 'saml';
  readonly arn: string;
  /**
   * Checks everything about a response except whether it was used before.
   * @throws IdentityFault
   */
  identify(assertion: string, nowMs: number): Promise<SamlIdentity>;
}

/** Judges tokens of which nothing is known. */
export interface PlainTokenProvider extends NamedProvider {
  readonly form: 'customToken';
  /** @throws IdentityFault */
  identify(token: string, observe?: WaitObserver): Promise<CustomTokenIdentity>;
}
