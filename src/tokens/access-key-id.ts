import type { Randomness } from '../core/randomness.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The kind of owner of an access key id, shown by its first four characters. */
export type AccessKeyPrefix = 'AKIA' | 'ASIA';

/**
 * A new access key id: the prefix and base32 of 80 bits (top bit 1, 40 bits account id, 39 random bits), as AWS
 * lays it out (recorded behaviour, 2026-11). Ids may collide; nothing relies on them being unique.
 */
export function createAccessKeyId(
  prefix: AccessKeyPrefix,
  accountId: string,
  randomness: Randomness,
): string {
  const random = BigInt(`0x${Buffer.from(randomness.bytes(5)).toString('hex')}`) & 0x7fffffffffn;
  let bits = (1n << 79n) | (BigInt(accountId) << 39n) | random;
  let encoded = '';
  for (let index = 0; index < 16; index += 1) {
    encoded = (alphabet[Number(bits & 31n)] ?? '') + encoded;
    bits >>= 5n;
  }
  return prefix + encoded;
}

/** The 12-digit account in an access key id; `undefined` for ids of another format. */
export function accountOfAccessKeyId(accessKeyId: string): string | undefined {
  const match = /^[A-Z]{4}([A-Z2-7]{16})$/.exec(accessKeyId);
  if (match === null) return undefined;
  let bits = 0n;
  for (const character of match[1] ?? '') bits = (bits << 5n) | BigInt(alphabet.indexOf(character));
  const account = (bits >> 39n) & 0xffffffffffn;
  const isNewFormat = bits >> 79n === 1n && account <= 999_999_999_999n;
  return isNewFormat ? account.toString().padStart(12, '0') : undefined;
}
