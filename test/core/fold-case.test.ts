import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldCase } from '../../src/core/fold-case.ts';

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
});
