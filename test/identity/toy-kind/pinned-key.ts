import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { checkTimes, requireSubject, wrongAudience } from '../../../src/identity/check-claims.ts';
import type { FederatedIdentity } from '../../../src/identity/federated-identity.ts';
import { type IdentityKind, issuerFacts, type ProviderSettings } from '../../../src/identity/kind.ts';
import { IdentityFault, type WebIdentityProvider } from '../../../src/identity/provider.ts';
import { type AccountName, issuerArn } from '../../../src/identity/provider-arn.ts';
import { textualClaims } from '../../../src/identity/textual-claims.ts';
import type { UnverifiedToken } from '../../../src/identity/unverified-token.ts';
import { textLike } from '../../../src/schema/scalars.ts';

const schema = z.strictObject({
  kind: z.literal('pinned-key'),
  name: textLike(/^[a-z]+$/, 'must be lower case letters'),
  issuer: z.url(),
  audience: z.string(),
  publicKey: z.string().describe('Ed25519, as base64 of DER.'),
});

interface PinnedKeySettings extends ProviderSettings, Readonly<z.infer<typeof schema>> {
  readonly kind: 'pinned-key';
}

/** An issuer that publishes nothing: its only key stands in the configuration. */
class PinnedKeyProvider implements WebIdentityProvider {
  readonly form = 'webIdentity';
  readonly name: string;
  readonly issuer: string;
  readonly hasOwnRole = false;
  readonly #settings: PinnedKeySettings;
  readonly #arn: string;

  constructor(settings: PinnedKeySettings, account: AccountName) {
    this.name = settings.name;
    this.issuer = settings.issuer;
    this.#settings = settings;
    this.#arn = issuerArn(settings.issuer, account);
  }

  accepts({ audiences }: UnverifiedToken): boolean {
    return audiences.includes(this.#settings.audience);
  }

  async verify(token: UnverifiedToken, nowMs: number): Promise<FederatedIdentity> {
    if (!this.accepts(token)) throw wrongAudience();
    const dot = token.text.lastIndexOf('.');
    const signature = Buffer.from(token.text.slice(dot + 1), 'base64url');
    const der = Buffer.from(this.#settings.publicKey, 'base64');
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (!verify(null, Buffer.from(token.text.slice(0, dot)), key, signature)) {
      throw new IdentityFault('bad_signature', 'The signature does not fit');
    }
    return {
      provider: this.name,
      providerArn: this.#arn,
      hasOwnRole: false,
      issuer: this.issuer,
      subject: requireSubject(token.claims),
      audience: this.#settings.audience,
      claims: textualClaims(token.claims),
      expiresAt: checkTimes(token.claims, nowMs),
      tags: [],
      sourceIdentity: undefined,
      policyNames: undefined,
    };
  }
}

/** The one object that a kind is. */
export const pinnedKey: IdentityKind<PinnedKeySettings> = {
  kind: 'pinned-key',
  schema,
  read: (reader) => reader.read(schema),
  describe: ({ issuer, audience }) => ({
    ...issuerFacts({ issuer, audiences: [audience], setting: 'audience' }),
  }),
  create: (settings, { account }) => new PinnedKeyProvider(settings, account),
};
