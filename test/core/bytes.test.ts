import { describe, expect, it } from 'vitest';
import { equalTexts, latin1Bytes } from '../../src/core/bytes.ts';

describe('texts as bytes', () => {
  it.each([0, 1, 63, 64, 65, 8191, 8192, 8193, 20_000])('has the latin1 bytes of %s characters', (length) => {
    const text = Array.from({ length }, (_, index) => String.fromCharCode(index % 256)).join('');
    expect(Buffer.compare(latin1Bytes(text), Buffer.from(text, 'latin1'))).toBe(0);
  });

  it('keeps nothing of a longer text before a shorter one', () => {
    latin1Bytes('a longer text');
    expect(latin1Bytes('short').toString('latin1')).toBe('short');
  });

  it('tells texts apart that differ in one character, at every place', () => {
    const text = '0123456789abcdef'.repeat(8);
    expect(equalTexts(text, `${text}`)).toBe(true);
    for (let index = 0; index < text.length; index += 1) {
      const other = `${text.slice(0, index)}x${text.slice(index + 1)}`;
      expect(equalTexts(text, other)).toBe(false);
      expect(equalTexts(other, text)).toBe(false);
    }
  });

  it.each([
    ['a prefix', 'abcd', 'abc'],
    ['an empty text', 'abcd', ''],
    ['a text that zeros extend', 'abc', 'abc\0'],
    ['texts that are too long', 'a'.repeat(129), 'a'.repeat(129)],
  ])('does not take for equal %s', (_, left, right) => {
    expect(equalTexts(left, right)).toBe(false);
    expect(equalTexts(right, left)).toBe(false);
  });

  it('compares after a longer text what is shorter', () => {
    equalTexts('abcdefgh', 'abcdefgh');
    expect(equalTexts('abc', 'abc')).toBe(true);
    expect(equalTexts('', '')).toBe(true);
  });
});
