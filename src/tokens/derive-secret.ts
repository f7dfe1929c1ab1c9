import { hkdfSync } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import type { RingKey } from './key-ring.ts';

/** Length of the random seed of a session, in bytes. */
export const seedBytes = 32;

/**
 * Derives the secret access key of a session, 40 characters, from a subkey of the ring, the session's random seed and its
 * access key id. It cannot be computed from the token. Two sessions with the same access key id have different secrets.
 */
export function deriveSecretAccessKey(key: RingKey, seed: Uint8Array, accessKeyId: string): Secret {
  const bytes = hkdfSync('sha256', key.secrets, seed, `secret/v1${accessKeyId}`, 30);
  return new Secret(Buffer.from(bytes).toString('base64'));
}
