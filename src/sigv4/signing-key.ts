import { createHmac } from 'node:crypto';
import { BoundedCache } from '../core/bounded-cache.ts';
import { flatCopy } from '../core/bytes.ts';
import type { Secret } from '../core/secret.ts';
import type { CredentialScope } from './credential-scope.ts';
import { HmacKey } from './hmac-key.ts';

function hmac(key: Uint8Array | string, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'utf8').digest();
}

/** Derives the key of Signature V4 for one secret and scope. */
function deriveSigningKey(secret: Secret, scope: CredentialScope): HmacKey {
  const dateKey = hmac(`AWS4${secret.reveal()}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  const serviceKey = hmac(regionKey, scope.service);
  return new HmacKey(hmac(serviceKey, 'aws4_request'));
}

// One key costs four HMACs to derive and about 1 KB to keep.
const maxCachedKeys = 12_000;

/** A derived key. It is not kept by itself: otherwise a client could fill the cache with made-up scopes. */
export interface FoundSigningKey {
  readonly key: HmacKey;
  /** Keeps the key for the next request; call it once a signature was verified or made with it. */
  readonly keep: () => void;
}

/**
 * Keeps derived signing keys. The entry is found by the secret itself, never by the access key id: two sessions
 * may share an id.
 */
export class SigningKeyCache {
  readonly #keys: BoundedCache<HmacKey> = new BoundedCache({ maxEntries: maxCachedKeys });

  /** Finds or derives the key. */
  find(secret: Secret, scope: CredentialScope): FoundSigningKey {
    const entry = `${scope.date}/${scope.region}/${scope.service}/${secret.reveal()}`;
    const cached = this.#keys.get(entry);
    if (cached !== undefined) return { key: cached, keep: () => undefined };
    const key = deriveSigningKey(secret, scope);
    return { key, keep: () => this.#keys.set(flatCopy(entry), key) };
  }

  /** Forgets all keys. */
  forget(): void {
    this.#keys.clear();
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#keys.size;
  }
}
