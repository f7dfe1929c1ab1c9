import type { IdentityTools } from '../ask-provider.ts';
import {
  checkTimes,
  refuseUnsupportedClaims,
  requireIssuer,
  requireSubject,
  wrongAudience,
} from '../check-claims.ts';
import { discoverKeys } from '../discovery.ts';
import type { FederatedIdentity } from '../federated-identity.ts';
import { KeySource } from '../key-source.ts';
import type { IdentityProvider } from '../provider.ts';
import { textualClaims } from '../textual-claims.ts';
import type { UnverifiedToken } from '../unverified-token.ts';
import { verifySignature } from '../verify-signature.ts';
import type { OidcProviderSettings } from './settings.ts';

/** Identity tokens of an OpenID Connect provider (OpenID Connect Core 1.0, section 3.1.3.7). */
export class OidcProvider implements IdentityProvider {
  readonly name: string;
  readonly issuer: string;
  readonly #clientIds: ReadonlySet<string>;
  readonly #acceptAzp: boolean;
  readonly #keys: KeySource;

  constructor(settings: OidcProviderSettings, tools: IdentityTools) {
    this.name = settings.name;
    this.issuer = settings.issuer;
    this.#clientIds = new Set(settings.clientIds);
    this.#acceptAzp = settings.acceptAzp;
    this.#keys = new KeySource(() => discoverKeys(settings, tools), tools.clock);
  }

  accepts(token: UnverifiedToken): boolean {
    return this.#acceptedAudiences(token).length > 0;
  }

  async verify(token: UnverifiedToken, nowMs: number): Promise<FederatedIdentity> {
    requireIssuer(token, this.issuer);
    const audiences = this.#acceptedAudiences(token);
    const [audience] = audiences;
    if (audience === undefined) throw wrongAudience();
    checkTimes(token.claims, nowMs);
    await verifySignature(token, this.#keys);
    refuseUnsupportedClaims(token.claims);
    const subject = requireSubject(token.claims);
    const claims = new Map([...textualClaims(token.claims), ['aud', audiences]]);
    return { provider: this.name, issuer: this.issuer, subject, audience, claims };
  }

  #acceptedAudiences({ audiences, authorizedParty }: UnverifiedToken): readonly string[] {
    const named = audiences.filter((audience) => this.#clientIds.has(audience));
    if (named.length > 0) return [...new Set(named)];
    const azpCounts = audiences.length === 0 || this.#acceptAzp;
    return azpCounts && authorizedParty !== undefined && this.#clientIds.has(authorizedParty)
      ? [authorizedParty]
      : [];
  }
}
