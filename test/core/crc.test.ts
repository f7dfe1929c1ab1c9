import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc64nvme } from '../../src/core/crc.ts';

/** One bit at a time, over big integers. */
function bitwise(data: Uint8Array, polynomial: bigint, width: bigint): bigint {
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return crc ^ ones;
}

const asBigInt = ({ high, low }: { high: number; low: number }): bigint =>
  (BigInt(high) << 32n) | BigInt(low);
const digits = Buffer.from('123456789');

describe('checksums', () => {
  it('have the check values of their definitions', () => {
    expect(crc32c(digits)).toBe(0xe3069283);
    expect(asBigInt(crc64nvme(digits))).toBe(0xae8b14860a799888n);
  });

  it('equal a bitwise computation, however the data is cut', () => {
    const data = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(data, data, (left, right) => {
        const whole = Buffer.concat([left, right]);
        expect(BigInt(crc32c(right, crc32c(left)))).toBe(bitwise(whole, 0x82f63b78n, 32n));
        expect(asBigInt(crc64nvme(right, crc64nvme(left)))).toBe(bitwise(whole, 0x9a6c9329ac4bc9b5n, 64n));
      }),
    );
  });
});
