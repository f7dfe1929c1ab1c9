import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldCase } from '../../src/core/fold-case.ts';
import { memoryOf } from '../support/heap.ts';

describe('foldCase', () => {
  it('folds the pieces of a text as it folds the whole', () => {
    const text = fc.string({ unit: fc.constantFrom('A', 'b', 'Σ', 'ς', 'σ', 'İ', 'É', '𐐀', ' ', '.') });
    fc.assert(
      fc.property(text, text, (head, tail) => {
        expect(foldCase(head + tail)).toBe(foldCase(head) + foldCase(tail));
        expect(foldCase(foldCase(head))).toBe(foldCase(head));
      }),
    );
  });

  it.each([
    ['Anna', 'aNNA'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδος', 'οδοσ'],
    ['Éa𐐀', 'éA𐐨'],
  ])('makes %s and %s equal', (left, right) => {
    expect(foldCase(left)).toBe(foldCase(right));
  });

  it.each([
    ['I', 'ı'],
    ['ß', 'ss'],
    ['e', 'é'],
    ['fi', 'ﬁ'],
  ])('keeps %s and %s apart', (left, right) => {
    expect(foldCase(left)).not.toBe(foldCase(right));
  });

  it('folds every code point on its own', () => {
    for (let point = 0; point <= 0x10ffff; point += 1) {
      const character = String.fromCodePoint(point);
      const folded = character === 'ς' ? 'σ' : character.toLowerCase();
      if (foldCase(`aΣ${character}Σ`) !== `aσ${folded}σ`) expect.fail(`U+${point.toString(16)}`);
    }
  });

  it.each(['ж', 'Ж', 'ς', 'Σx'])(
    'takes no more memory than its characters for a text of %s',
    async (letters) => {
      // Decoded bytes are one flat string, as texts of requests are.
      const text = (at: number): string => Buffer.from(letters.repeat(120) + at).toString();
      const fold = (count: number): Set<string> =>
        new Set(Array.from({ length: count }, (_, at) => foldCase(text(at))));
      const each = (await memoryOf(() => fold(500))) / 500;
      expect(each).toBeLessThan(3 * 2 * 120 * letters.length);
    },
  );
});
