import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { requireSubject } from '../../../src/identity/check-claims.ts';
import type { VerifiedToken } from '../../../src/identity/federated-identity.ts';
import { type IdentityKind, issuerFacts, type ProviderSettings } from '../../../src/identity/kind.ts';
import { IdentityFault, type WebIdentityProvider } from '../../../src/identity/provider.ts';
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

/** An issuer that publishes nothing: its only key is in the configuration. */
class PinnedKeyProvider implements WebIdentityProvider {
  readonly form = 'webIdentity';
  readonly #settings: PinnedKeySettings;

  constructor(settings: PinnedKeySettings) {
    this.#settings = settings;
  }

  acceptedAudiences({ audiences }: UnverifiedToken): readonly string[] {
    return audiences.filter((one) => one === this.#settings.audience);
  }

  async verify(token: UnverifiedToken): Promise<VerifiedToken> {
    const dot = token.text.lastIndexOf('.');
    const signature = Buffer.from(token.text.slice(dot + 1), 'base64url');
    const der = Buffer.from(this.#settings.publicKey, 'base64');
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (!verify(null, Buffer.from(token.text.slice(0, dot)), key, signature)) {
      throw new IdentityFault('bad_signature', 'The signature does not fit');
    }
    return {
      subject: requireSubject(token.claims),
      claims: textualClaims(token.claims),
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
  create: (settings) => new PinnedKeyProvider(settings),
};
