import { createHmac } from 'node:crypto';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { Secret } from '../core/secret.ts';
import type { CredentialScope } from './credential-scope.ts';

function hmac(key: Uint8Array | string, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'utf8').digest();
}

/** Derives the key of Signature V4 for one secret and scope. */
function deriveSigningKey(secret: Secret, scope: CredentialScope): Buffer {
  const dateKey = hmac(`AWS4${secret.reveal()}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  const serviceKey = hmac(regionKey, scope.service);
  return hmac(serviceKey, 'aws4_request');
}

// One key costs four HMACs to derive and about 300 bytes to keep.
const maxCachedKeys = 20_000;

/**
 * Keeps derived signing keys. The entry is found by the secret itself, never by the access key id: two sessions
 * may share an id.
 */
export class SigningKeyCache {
  readonly #keys: BoundedCache<Buffer> = new BoundedCache({ maxEntries: maxCachedKeys });

  signingKey(secret: Secret, scope: CredentialScope): Buffer {
    const entry = `${scope.date}/${scope.region}/${scope.service}/${secret.reveal()}`;
    const cached = this.#keys.get(entry);
    if (cached !== undefined) return cached;
    const derived = deriveSigningKey(secret, scope);
    this.#keys.set(entry, derived);
    return derived;
  }
}

/** The signature: lower-case hexadecimal HMAC of the string to sign. */
export function computeSignature(signingKey: Uint8Array, stringToSign: string): Buffer {
  return createHmac('sha256', signingKey).update(stringToSign, 'latin1').digest();
}
