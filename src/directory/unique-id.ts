import { createHash } from 'node:crypto';
import type { AccountRecord } from './records.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
// AWS's ids are 21 characters long; 17 characters of five bits make 85 bits of the digest.
const digits = 17;

/** The kind of entity that a unique id belongs to (IAM user guide, "Unique identifiers"). */
export type UniqueIdPrefix = 'AIDA' | 'AROA';

/**
 * The unique id of a user or role that has none configured: the prefix and 17 base32 characters of a digest of account and
 * name. Every replica and every restart derives the same one.
 */
export function deriveUniqueId(prefix: UniqueIdPrefix, account: AccountRecord, name: string): string {
  const digest = createHash('sha256')
    .update(`sts-sidecar/unique-id/v1\n${prefix}\n${account.id}\n${name}`)
    .digest();
  let bits = BigInt(`0x${digest.subarray(0, 11).toString('hex')}`);
  let id = '';
  for (let index = 0; index < digits; index += 1) {
    id += alphabet[Number(bits & 31n)] ?? '';
    bits >>= 5n;
  }
  return prefix + id;
}
