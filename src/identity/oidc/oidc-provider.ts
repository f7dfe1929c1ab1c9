/*
 * This folder owns identity tokens of OpenID Connect providers (OpenID Connect Core 1.0, section 3.1.3.7).
 * In: an ID token, and an access token if UserInfo is used. Out: a `FederatedIdentity`.
 * It never accepts a token that was issued to another application, unless the configuration allows it.
 * It never takes session tags or a source identity from UserInfo, which is not signed.
 */

import type { Mapping } from '../../core/mapping.ts';
import { readAwsClaims } from '../aws-claims.ts';
import { checkTimes, requireIssuer, requireSubject, wrongAudience } from '../check-claims.ts';
import { discover } from '../discovery.ts';
import type { FederatedIdentity } from '../federated-identity.ts';
import { KeySource } from '../key-source.ts';
import type { ProviderTools } from '../kind.ts';
import type { WebIdentityProvider } from '../provider.ts';
import { issuerArn } from '../provider-arn.ts';
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
  readonly name: string;
  readonly issuer: string;
  readonly hasOwnRole: boolean;
  readonly #arn: string;
  readonly #clientIds: ReadonlySet<string>;
  readonly #acceptAzp: boolean;
  readonly #anyAzp: boolean;
  readonly #policyClaim: string | undefined;
  readonly #asksUserInfo: boolean;
  readonly #tools: ProviderTools;
  readonly #keys: KeySource;
  readonly #room: ProviderRoom;
  #userInfoEndpoint: string | undefined;

  constructor(settings: OidcProviderSettings, tools: ProviderTools) {
    this.name = settings.name;
    this.issuer = settings.issuer;
    this.#arn = issuerArn(settings.issuer, tools.account);
    this.hasOwnRole = settings.rolePolicies !== undefined || settings.policyClaim !== undefined;
    this.#clientIds = new Set(settings.clientIds);
    this.#acceptAzp = settings.acceptAzp;
    this.#anyAzp = settings.anyAzp;
    this.#policyClaim = settings.policyClaim;
    this.#asksUserInfo = settings.userInfo;
    this.#tools = tools;
    const fetchKeys = async (): Promise<readonly VerificationKey[]> => {
      const { keys, userInfoEndpoint } = await discover(settings, tools);
      this.#userInfoEndpoint = userInfoEndpoint;
      return keys;
    };
    this.#keys = new KeySource(settings.name, fetchKeys, tools.clock);
    this.#room = new ProviderRoom(settings.name);
  }

  accepts(token: UnverifiedToken): boolean {
    return this.#acceptedAudiences(token).length > 0;
  }

  async verify(
    token: UnverifiedToken,
    nowMs: number,
    accessToken?: string,
    observe?: WaitObserver,
  ): Promise<FederatedIdentity> {
    requireIssuer(token, this.issuer);
    const audiences = this.#acceptedAudiences(token);
    const [audience] = audiences;
    if (audience === undefined) throw wrongAudience();
    const expiresAt = checkTimes(token.claims, nowMs);
    await verifySignature(token, this.#keys, observe);
    const subject = requireSubject(token.claims);
    const all = this.#asksUserInfo
      ? await this.#room.wait(() => this.#completeClaims(token, subject, accessToken), observe)
      : token.claims;
    // From the signed token only. UserInfo may describe the user, but not what the session carries.
    const { tags, sourceIdentity } = readAwsClaims(token.claims);
    const claims = textualClaims({ ...all, aud: audiences });
    const policyNames =
      this.#policyClaim === undefined ? undefined : policyNamesIn(claims, this.#policyClaim);
    const session = { expiresAt, tags, sourceIdentity, policyNames };
    const { name: provider, issuer, hasOwnRole } = this;
    const providerArn = this.#arn;
    return { provider, providerArn, hasOwnRole, issuer, subject, audience, claims, ...session };
  }

  async #completeClaims(token: UnverifiedToken, subject: string, accessToken?: string): Promise<Mapping> {
    // Set together with the keys, without which no token is verified.
    const endpoint = this.#userInfoEndpoint;
    const { name: provider, issuer } = this;
    return withUserInfo({ provider, issuer, endpoint, token, subject, accessToken }, this.#tools);
  }

  #acceptedAudiences({ audiences, authorizedParty }: UnverifiedToken): readonly string[] {
    const isOfClient = authorizedParty !== undefined && this.#clientIds.has(authorizedParty);
    // Issued to another application, which could present it here as its own (OpenID Connect Core 1.0, section 3.1.3.7).
    if (authorizedParty !== undefined && !isOfClient && !this.#anyAzp) return [];
    const named = audiences.filter((audience) => this.#clientIds.has(audience));
    if (named.length > 0) return [...new Set(named)];
    const azpCounts = audiences.length === 0 || this.#acceptAzp;
    return azpCounts && isOfClient ? [authorizedParty] : [];
  }
}
