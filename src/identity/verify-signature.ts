import { compactVerify, errors } from 'jose';
import { type AlgorithmRule, algorithmRule } from './algorithms.ts';
import { IdentityFault } from './identity-fault.ts';
import type { KeySource } from './key-source.ts';
import type { WaitObserver } from './provider-room.ts';
import type { UnverifiedToken } from './unverified-token.ts';
import { fits, type VerificationKey } from './verification-key.ts';

/** The accepted content of a protected header. */
interface SignatureHeader {
  readonly algorithm: string;
  readonly rule: AlgorithmRule;
  readonly keyId: string | undefined;
}

/** The types of identity and access tokens (RFC 7519, 9068). A logout or event token is neither. */
const tokenTypes: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);

/**
 * Verifies the token's signature with the provider's keys only: `jwk`, `jku`, `x5u` and `x5c` in the token are ignored, and
 * `crit` is refused. For an unknown key, the keys are fetched again. `observe` is told of every wait, that for the verification
 * included.
 * @throws IdentityFault `malformed`, `bad_signature`, `no_key` or `provider_busy`; or the error of the key source
 */
export async function verifySignature(
  token: UnverifiedToken,
  source: KeySource,
  observe?: WaitObserver,
): Promise<void> {
  // Read again after each wait, not kept: a key id can be as long as a token.
  readHeader(token);
  const known = await source.keys(observe);
  if (await isSignedByOneOf(token, known, source, observe)) return;
  const rotated = await source.keysAfterRotation(known, observe);
  if (rotated !== undefined && (await isSignedByOneOf(token, rotated, source, observe))) return;
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
 * True when one of the keys verifies the token. A token that names its key and does not verify is refused at once. One without
 * a name may be signed with a key that is not known yet.
 */
function isSignedByOneOf(
  token: UnverifiedToken,
  known: readonly VerificationKey[],
  source: KeySource,
  observe: WaitObserver | undefined,
): Promise<boolean> {
  // Not an async function, which would keep the header while the signature is verified.
  const header = readHeader(token);
  const keys = candidates(known, header);
  if (keys.length === 0) return Promise.resolve(false);
  const { algorithm } = header;
  const isNamed = header.keyId !== undefined;
  const { text } = token;
  return source.verifying.pass(text, () => isVerified(text, keys, { algorithm, isNamed }), observe);
}

async function isVerified(
  text: string,
  keys: readonly VerificationKey[],
  { algorithm, isNamed }: { readonly algorithm: string; readonly isNamed: boolean },
): Promise<boolean> {
  for (const { publicKey } of keys) {
    try {
      await compactVerify(text, publicKey, { algorithms: [algorithm] });
      return true;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  if (isNamed) throw new IdentityFault('bad_signature', 'The signature of the token is invalid');
  return false;
}
