import { describe, expect, it } from 'vitest';
import { shownText } from '../../src/core/shown-text.ts';

describe('shownText', () => {
  it.each([
    ['a plain text', 'red/2026 ä 😀', 'red/2026 ä 😀'],
    [
      'what moves the cursor or the line',
      'a\u001b[2J\r\n\u0007\u009b',
      'a\\u{1b}[2J\\u{d}\\u{a}\\u{7}\\u{9b}',
    ],
    ['what reorders or hides text', '\u202eabc\u200b\u2028', '\\u{202e}abc\\u{200b}\\u{2028}'],
    ['halves of characters', 'a\ud83d', 'a\\u{d83d}'],
    ['the quotation mark of messages', '`', '\\u{60}'],
  ])('shows %s', (_, text, shown) => {
    expect(shownText(text, 100)).toBe(shown);
  });

  it('cuts what is longer, and no character in half', () => {
    expect(shownText('abcdef', 6)).toBe('abcdef');
    expect(shownText('abcdefg', 6)).toBe('abcdef…');
    expect(shownText('abc😀de', 4)).toBe('abc…');
    expect(shownText('abc😀de', 5)).toBe('abc😀…');
  });
});
