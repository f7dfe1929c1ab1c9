import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HmacKey } from '../../src/sigv4/hmac-key.ts';

const keys = fc.uint8Array({ maxLength: 64 });
const latin1 = fc.string({ unit: fc.integer({ max: 255 }).map((code) => String.fromCharCode(code)) });
const signed = (key: Uint8Array, text: string): string =>
  createHmac('sha256', key).update(text, 'latin1').digest('hex');

describe('a prepared key', () => {
  it("signs as Node's HMAC does, with any key and text", () => {
    fc.assert(fc.property(keys, latin1, (key, text) => new HmacKey(key).sign(text) === signed(key, text)));
  });

  it.each([0, 1, 55, 56, 64, 959, 960, 961, 5_000])('signs %i characters', (length) => {
    const key = Buffer.alloc(32, 7);
    const text = '\xe9'.repeat(length);
    expect(new HmacKey(key).sign(text)).toBe(signed(key, text));
  });

  it('is not changed by what it or another key signs', () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const [first, second] = [new HmacKey(one), new HmacKey(other)];
    for (const text of ['a', 'b'.repeat(2_000), 'a', '']) {
      expect(first.sign(text)).toBe(signed(one, text));
      expect(second.sign(text)).toBe(signed(other, text));
    }
  });

  it('is not made of more than a block', () => {
    expect(() => new HmacKey(Buffer.alloc(65))).toThrow(RangeError);
  });
});
