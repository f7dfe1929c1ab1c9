/*
 * This folder owns identity tokens of OpenID Connect providers (OpenID Connect Core 1.0, section 3.1.3.7).
 * In: an ID token, and an access token if UserInfo is used. Out: a `VerifiedToken`.
 * It never accepts a token that was issued to another application, unless the configuration allows it.
 * It never takes session tags or a source identity from UserInfo, which is not signed.
 */

import type { Mapping } from '../../core/mapping.ts';
import type { IdentityTools } from '../ask-provider.ts';
import { readAwsClaims } from '../aws-claims.ts';
import { requireIssuer, requireSubject } from '../check-claims.ts';
import { discover } from '../discovery.ts';
import type { VerifiedToken } from '../federated-identity.ts';
import { KeySource, type KeysFault } from '../key-source.ts';
import type { Circumstances, WebIdentityProvider } from '../provider.ts';
import { ProviderRoom, type WaitObserver } from '../provider-room.ts';
import { textualClaims } from '../textual-claims.ts';
import type { UnverifiedToken } from '../unverified-token.ts';
import type { VerificationKey } from '../verification-key.ts';
import { verifySignature } from '../verify-signature.ts';
import { policyNamesIn } from './policy-claim.ts';
import type { OidcProviderSettings } from './settings.ts';
import { withUserInfo } from './user-info.ts';

/** One OpenID Connect provider. */
export class OidcProvider implements WebIdentityProvider {
  readonly form = 'webIdentity';
  readonly #settings: OidcProviderSettings;
  readonly #clientIds: ReadonlySet<string>;
  readonly #tools: IdentityTools;
  readonly #keys: KeySource;
  readonly #room: ProviderRoom;
  #userInfoEndpoint: string | undefined;

  constructor(settings: OidcProviderSettings, tools: IdentityTools) {
    this.#settings = settings;
    this.#clientIds = new Set(settings.clientIds);
    this.#tools = tools;
    const fetchKeys = async (): Promise<readonly VerificationKey[]> => {
      const { keys, userInfoEndpoint } = await discover(settings, tools);
      this.#userInfoEndpoint = userInfoEndpoint;
      return keys;
    };
    this.#keys = new KeySource(settings.name, fetchKeys, tools.clock);
    this.#room = new ProviderRoom(settings.name);
  }

  keepKeys(): Promise<void> {
    return this.#keys.keep();
  }

  get keysFault(): KeysFault | undefined {
    return this.#keys.fault;
  }

  async verify(
    token: UnverifiedToken,
    audiences: readonly string[],
    observe: WaitObserver,
    { accessToken, beforeReading }: Circumstances,
  ): Promise<VerifiedToken> {
    const { issuer, userInfo, policyClaim } = this.#settings;
    requireIssuer(token, issuer);
    await verifySignature(token, this.#keys, observe);
    const completed = userInfo
      ? await this.#room.wait(() => this.#completeClaims(token, accessToken), observe)
      : undefined;
    await beforeReading(completed);
    const subject = requireSubject(token.claims);
    const all = completed ?? token.claims;
    // From the signed token only. UserInfo may describe the user, but not what the session carries.
    const { tags, sourceIdentity } = readAwsClaims(token.claims);
    const claims = textualClaims({ ...all, aud: audiences });
    const policyNames = policyClaim === undefined ? undefined : policyNamesIn(claims, policyClaim);
    return { subject, claims, tags, sourceIdentity, policyNames };
  }

  async #completeClaims(token: UnverifiedToken, accessToken?: string): Promise<Mapping> {
    const subject = requireSubject(token.claims);
    // Set together with the keys, without which no token is verified.
    const endpoint = this.#userInfoEndpoint;
    const { name: provider, issuer } = this.#settings;
    return withUserInfo({ provider, issuer, endpoint, token, subject, accessToken }, this.#tools);
  }

  acceptedAudiences({ audiences, authorizedParty }: UnverifiedToken): readonly string[] {
    const isOfClient = authorizedParty !== undefined && this.#clientIds.has(authorizedParty);
    // Issued to another application, which could present it here as its own (OpenID Connect Core 1.0, section 3.1.3.7).
    if (authorizedParty !== undefined && !isOfClient && !this.#settings.anyAzp) return [];
    const named = audiences.filter((audience) => this.#clientIds.has(audience));
    if (named.length > 0) return [...new Set(named)];
    const azpCounts = audiences.length === 0 || this.#settings.acceptAzp;
    return azpCounts && isOfClient ? [authorizedParty] : [];
  }
}
