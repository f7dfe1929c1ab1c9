import { describe, expect, it } from 'vitest';
import { suggest } from '../../src/config/suggest.ts';

describe('suggest', () => {
  it.each([
    ['lisen', 'listen'],
    ['Listen', 'listen'],
    ['litsen', 'listen'],
    ['tols', 'tls'],
  ])('finds the candidate nearest to %s', (word, expected) => {
    expect(suggest(word, ['limits', 'listen', 'tls'])).toBe(` (did you mean "${expected}"?)`);
  });

  it.each(['banana', 'x', '', 'l'.repeat(65)])('suggests nothing for %j', (word) => {
    expect(suggest(word, ['limits', 'listen', 'tls'])).toBe('');
  });
});
