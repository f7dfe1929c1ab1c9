import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isMapping, type Mapping } from '../core/mapping.ts';
import type { AlgorithmRule } from './algorithms.ts';
import { isSameAlgorithm } from './algorithms.ts';

/** A public key of a provider. */
export interface VerificationKey {
  readonly id: string | undefined;
  readonly type: string;
  readonly curve: string | undefined;
  /** The only algorithm that the provider allows for it; `undefined` allows every algorithm of its type. */
  readonly algorithm: string | undefined;
  readonly publicKey: KeyObject;
}

/** No provider publishes more keys. */
const maxKeys = 200;
/** RFC 7518, sections 3.3 and 3.5. */
const minRsaBits = 2048;
/** Verifying with a much larger key takes too long. */
const maxRsaBits = 16_384;
/** 65537 is the usual value. Verification time grows with the exponent: 6 ms when it is as long as the modulus. */
const maxRsaExponent = 2n ** 32n;
/** Importing a P-521 key takes 1.5 ms of the event loop (Node 20, measured 2026-11). */
const keysPerTurn = 8;

/**
 * Reads a JWK set (RFC 7517). Keys for encryption, symmetric keys and keys of unknown types are skipped, as the RFC asks. A set
 * without a usable key is still a set. `undefined` when the value is not a JWK set.
 */
export async function readKeySet(value: unknown): Promise<readonly VerificationKey[] | undefined> {
  const keys: unknown = isMapping(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length > maxKeys) return undefined;
  const read: VerificationKey[] = [];
  for (const [index, jwk] of keys.entries()) {
    // The provider decides how many keys there are. Other requests get their turn in between.
    if (index > 0 && index % keysPerTurn === 0) await setImmediate();
    const key = isMapping(jwk) ? readKey(jwk) : undefined;
    if (key !== undefined) read.push(key);
  }
  return read;
}

function readKey(jwk: Mapping): VerificationKey | undefined {
  const { kty, kid, alg, use, crv, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return undefined;
  }
  if (!isOptionalText(kid) || !isOptionalText(alg) || !isOptionalText(crv)) return undefined;
  const publicKey = typeof kty === 'string' ? importPublicKey(kty, jwk) : undefined;
  if (typeof kty !== 'string' || publicKey === undefined) return undefined;
  return { id: kid, type: kty, curve: crv, algorithm: alg, publicKey };
}

const publicMembers: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
]);

function importPublicKey(kty: string, jwk: Mapping): KeyObject | undefined {
  const members = publicMembers.get(kty);
  if (members === undefined) return undefined;
  const key: JsonWebKey = { kty };
  for (const member of members) {
    const value = jwk[member];
    if (typeof value !== 'string') return undefined;
    key[member] = value;
  }
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' });
    return isAffordable(publicKey) ? publicKey : undefined;
  } catch {
    return undefined;
  }
}

function isAffordable({ asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength: bits, publicExponent: exponent = 0n } = asymmetricKeyDetails ?? {};
  return bits === undefined || (bits >= minRsaBits && bits <= maxRsaBits && exponent <= maxRsaExponent);
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** True when the key may verify a token of this algorithm. Binds the algorithm to the key, whatever the token claims. */
export function fits(key: VerificationKey, algorithm: string, rule: AlgorithmRule): boolean {
  if (key.type !== rule.keyType) return false;
  if (rule.curve !== undefined && key.curve !== rule.curve) return false;
  return key.algorithm === undefined || isSameAlgorithm(key.algorithm, algorithm);
}
