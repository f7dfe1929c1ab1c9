import { compactVerify, errors } from 'jose';
import { type AlgorithmRule, algorithmRule } from './algorithms.ts';
import { IdentityFault } from './identity-fault.ts';
import type { KeySource } from './key-source.ts';
import type { WaitObserver } from './provider-room.ts';
import type { UnverifiedToken } from './unverified-token.ts';
import { fits, type VerificationKey } from './verification-key.ts';

/** What the protected header says, as far as it may say anything. */
interface SignatureHeader {
  readonly algorithm: string;
  readonly rule: AlgorithmRule;
  readonly keyId: string | undefined;
}

/** Token types that are identity or access tokens (RFC 7519, 9068); a logout or event token is neither. */
const tokenTypes: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);

/**
 * Verifies the token's signature with the provider's keys and nothing the token brings along: `jwk`, `jku`, `x5u` and
 * `x5c` are ignored, `crit` is refused. A key the source does not hold makes it ask again.
 * Throws `IdentityFault` `malformed`, `bad_signature` or `no_key`, and whatever the key source throws.
 */
export async function verifySignature(
  token: UnverifiedToken,
  source: KeySource,
  observe?: WaitObserver,
): Promise<void> {
  const header = readHeader(token);
  const known = await source.keys(observe);
  if (await isSignedByOneOf(token, candidates(known, header), header)) return;
  const rotated = await source.keysAfterRotation(known, observe);
  if (rotated !== undefined) {
    if (await isSignedByOneOf(token, candidates(rotated, header), header)) return;
  }
  throw new IdentityFault('no_key', "The token is signed with none of the identity provider's current keys");
}

function readHeader({ header }: UnverifiedToken): SignatureHeader {
  const { alg, kid, typ } = header;
  const rule = algorithmRule(alg);
  if (rule === undefined || typeof alg !== 'string') {
    throw new IdentityFault('malformed', 'The token is not signed with a supported algorithm');
  }
  if (header['crit'] !== undefined || header['b64'] !== undefined) {
    throw new IdentityFault('malformed', 'The token has critical header parameters, which are not supported');
  }
  if (typ !== undefined && !(typeof typ === 'string' && tokenTypes.has(typ.toLowerCase()))) {
    throw new IdentityFault('malformed', 'The token is not of a type that tells an identity');
  }
  if (kid !== undefined && typeof kid !== 'string') {
    throw new IdentityFault('malformed', 'The key id of the token must be a string');
  }
  return { algorithm: alg, rule, keyId: kid };
}

function candidates(
  keys: readonly VerificationKey[],
  { algorithm, rule, keyId }: SignatureHeader,
): VerificationKey[] {
  return keys.filter((key) => (keyId === undefined || key.id === keyId) && fits(key, algorithm, rule));
}

/**
 * True when a key verifies. A token that names its key and does not verify is refused at once; one without a name may
 * be signed with a key that is not known yet.
 */
async function isSignedByOneOf(
  token: UnverifiedToken,
  keys: readonly VerificationKey[],
  { algorithm, keyId }: SignatureHeader,
): Promise<boolean> {
  for (const { publicKey } of keys) {
    try {
      await compactVerify(token.text, publicKey, { algorithms: [algorithm] });
      return true;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  if (keys.length > 0 && keyId !== undefined) {
    throw new IdentityFault('bad_signature', 'The signature of the token is invalid');
  }
  return false;
}
