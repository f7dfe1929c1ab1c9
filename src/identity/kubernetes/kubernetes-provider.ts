/*
 * This folder owns projected service account tokens of a Kubernetes cluster (Kubernetes, "Managing Service Accounts").
 * In: a token. Out: the service account as a `VerifiedToken`.
 * It always verifies the signature itself. A TokenReview, if configured, follows, so that forged tokens never reach the API
 * server.
 * It never accepts a token whose subject is not a service account.
 */

import type { Mapping } from '../../core/mapping.ts';
import type { IdentityTools } from '../ask-provider.ts';
import { readAwsClaims } from '../aws-claims.ts';
import { requireIssuer, requireSubject } from '../check-claims.ts';
import { discoverKeys } from '../discovery.ts';
import type { VerifiedToken } from '../federated-identity.ts';
import { IdentityFault } from '../identity-fault.ts';
import { KeySource, type KeysFault } from '../key-source.ts';
import type { Circumstances, WebIdentityProvider } from '../provider.ts';
import { ProviderRoom, type WaitObserver } from '../provider-room.ts';
import { textualClaims } from '../textual-claims.ts';
import type { UnverifiedToken } from '../unverified-token.ts';
import { verifySignature } from '../verify-signature.ts';
import { ApiServer } from './api-server.ts';
import type { KubernetesProviderSettings } from './settings.ts';
import { reviewToken } from './token-review.ts';

/** One cluster. */
export class KubernetesProvider implements WebIdentityProvider {
  readonly form = 'webIdentity';
  readonly #issuer: string;
  readonly #audiences: ReadonlySet<string>;
  readonly #keys: KeySource;
  /** Set when tokens are reviewed by the API server. */
  readonly #reviewer: ApiServer | undefined;
  readonly #room: ProviderRoom;

  constructor(settings: KubernetesProviderSettings, tools: IdentityTools) {
    const { name, issuer, audiences, tokenReview, apiServer } = settings;
    this.#issuer = issuer;
    this.#audiences = new Set(audiences);
    const server = apiServer === undefined ? undefined : new ApiServer(name, apiServer, tools);
    // INVARIANT: the configuration requires an API server for token reviews.
    if (tokenReview && server === undefined) throw new Error(`${name}: a token review needs an API server`);
    this.#reviewer = tokenReview ? server : undefined;
    const fetchKeys = server === undefined ? () => discoverKeys(settings, tools) : () => server.keys();
    this.#keys = new KeySource(name, fetchKeys, tools.clock);
    this.#room = new ProviderRoom(name);
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
    { beforeReading }: Circumstances,
  ): Promise<VerifiedToken> {
    requireIssuer(token, this.#issuer);
    await verifySignature(token, this.#keys, observe);
    const reviewer = this.#reviewer;
    if (reviewer !== undefined) {
      const subject = requireServiceAccount(token.claims);
      await this.#room.wait(() => reviewToken(token.text, { audiences, subject }, reviewer), observe);
    }
    await beforeReading();
    const subject = requireServiceAccount(token.claims);
    const { tags, sourceIdentity } = readAwsClaims(token.claims);
    const claims = new Map([...textualClaims(token.claims), ['aud', audiences]]);
    return { subject, claims, tags, sourceIdentity, policyNames: undefined };
  }

  acceptedAudiences({ audiences }: UnverifiedToken): readonly string[] {
    return [...new Set(audiences.filter((audience) => this.#audiences.has(audience)))];
  }
}

function requireServiceAccount(claims: Mapping): string {
  const subject = requireSubject(claims);
  if (subject.startsWith('system:serviceaccount:')) return subject;
  throw new IdentityFault('bad_claims', 'The subject of the token is no service account');
}
