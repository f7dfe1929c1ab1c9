/*
 * This folder owns the identity providers, which identify callers without an access key. Each kind has a folder.
 * In: the token or assertion of an STS request, and the providers' settings.
 * Out: a verified identity, or an `IdentityFault`.
 * It never decides which role an identity may assume; `sts` does.
 * It never trusts a claim before the token's signature, or the provider itself, has confirmed it.
 * It reaches providers through `outbound` only.
 */

import type { Mapping } from '../core/mapping.ts';
import type { FederatedIdentity, VerifiedToken } from './federated-identity.ts';
import type { KeysFault } from './key-source.ts';
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

/** The user that a webhook has identified. */
export interface CustomTokenIdentity {
  /** The configured name of the provider. A bounded value, fit for a metric label. */
  readonly provider: string;
  /** 1 to 255 characters. */
  readonly user: string;
  /** The longest session that the webhook allows, in seconds: 900 to 31536000. */
  readonly maxValiditySeconds: number;
}

/** Waits for a turn of the event loop, of which the work that follows takes that share, for a user of the provider of that ARN. */
export type WaitForTurn = (share: number, providerArn: string) => Promise<void>;

/**
 * All configured identity providers, as STS sees them: for each form of proof, identifies who presents one. The observer is
 * told when the call waits for a provider. A call waits for a turn before what a token says is read, if that takes long.
 * @throws IdentityFault
 * @throws what waiting for a turn throws
 */
export type IdentityProviders = {
  readonly [Form in keyof Proofs]: (
    proof: Proofs[Form],
    nowMs: number,
    observe?: WaitObserver,
    turn?: WaitForTurn,
  ) => Promise<Identities[Form]>;
};

/** Judges proofs of one form for one provider. Every kind implements one of them. */
export type IdentityProvider = WebIdentityProvider | AssertionProvider | PlainTokenProvider;

/** Those that judge proofs of that form. */
export type ProviderOf<Form extends IdentityProvider['form']> = Extract<IdentityProvider, { form: Form }>;

interface Reachable {
  /** Checks at start-up that the provider is reachable. Only the observer learns the result. */
  probe?(): Promise<void>;
  /** Of a provider whose keys are fetched: fetches them again when that is due. Never throws. */
  keepKeys?(): Promise<void>;
  /** What is wrong with the keys that were fetched. */
  readonly keysFault?: KeysFault | undefined;
}

/** What a provider of signed tokens judges one with, besides the token. */
export interface Circumstances {
  /** Used for UserInfo, if the settings ask for it. */
  readonly accessToken: string | undefined;
  /**
   * Waits for a turn of the event loop if the claims of the token, with those that were added, take long to read. Called once
   * nothing else is left to wait for, before the claims are read: until then, only the text of the token is kept.
   */
  readonly beforeReading: (added?: Mapping) => Promise<void>;
}

/** Judges signed tokens that name their issuer. */
export interface WebIdentityProvider extends Reachable {
  readonly form: 'webIdentity';
  /** The audiences of a token that are accepted. A token without one is refused. */
  acceptedAudiences(token: UnverifiedToken): readonly string[];
  /**
   * Checks everything about a token but its times and its audience, which are checked before: `audiences` has the accepted ones.
   * @throws IdentityFault
   */
  verify(
    token: UnverifiedToken,
    audiences: readonly string[],
    observe: WaitObserver,
    circumstances: Circumstances,
  ): Promise<VerifiedToken>;
}

/** Judges SAML assertions. */
export interface AssertionProvider extends Reachable {
  readonly form: 'saml';
  /**
   * Checks everything about a response except whether it was used before.
   * @throws IdentityFault
   */
  identify(assertion: string, nowMs: number): Promise<SamlIdentity>;
}

/** Judges tokens of which nothing is known. */
export interface PlainTokenProvider extends Reachable {
  readonly form: 'customToken';
  /** @throws IdentityFault */
  identify(token: string, observe?: WaitObserver): Promise<CustomTokenIdentity>;
}
