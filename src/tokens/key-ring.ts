import { hkdfSync } from 'node:crypto';
import type { Secret } from '../core/secret.ts';

/** One configured key: its name, and 32 bytes in base64. */
export interface RingKeyRecord {
  readonly id: string;
  readonly secret: Secret;
}

/** The subkeys of one ring key, which itself encrypts nothing. */
export interface RingKey {
  readonly id: string;
  /** Encrypts session tokens (A256GCM). */
  readonly sessionTokens: Uint8Array;
  /** Derives secret access keys. */
  readonly secrets: Uint8Array;
  /** Encrypts authorization messages (A256GCM). */
  readonly authorizationMessages: Uint8Array;
}

/** The keys of this process: one seals new tokens, and all of them open tokens. */
export interface KeyRing {
  readonly sealWith: RingKey;
  find(id: string): RingKey | undefined;
}

const keyBytes = 32;

/**
 * Derives the labelled subkeys (HKDF-SHA-256, RFC 5869) of every configured key.
 * @throws Error when `sealWith` names no key or a key is not 32 bytes long; the configuration checks both first
 */
export function createKeyRing(records: readonly RingKeyRecord[], sealWith: string): KeyRing {
  const keys = new Map(records.map((record) => [record.id, deriveRingKey(record)]));
  const sealing = keys.get(sealWith);
  if (sealing === undefined) throw new Error(`no token key is named ${sealWith}`);
  return { sealWith: sealing, find: (id) => keys.get(id) };
}

function deriveRingKey({ id, secret }: RingKeyRecord): RingKey {
  const ringKey = Buffer.from(secret.reveal(), 'base64');
  if (ringKey.length !== keyBytes) throw new Error(`token key ${id} must be ${keyBytes} bytes in base64`);
  const subkey = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', ringKey, new Uint8Array(0), `sts-sidecar/${label}/v1`, keyBytes));
  return {
    id,
    sessionTokens: subkey('session-tokens'),
    secrets: subkey('secrets'),
    authorizationMessages: subkey('authorization-messages'),
  };
}
