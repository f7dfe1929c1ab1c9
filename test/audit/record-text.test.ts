import { describe, expect, it } from 'vitest';
import { cut } from '../../src/audit/cut.ts';
import { recordText } from '../../src/audit/record-text.ts';

describe('cut', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('never splits a character in two: at most %d units', (most) => {
    for (const text of ['a😀b😀c', '😀😀😀😀', 'ab😀', '😀ab']) {
      const short = cut(text, most);
      expect(short.isWellFormed()).toBe(true);
      expect(text.startsWith(short.replace('…', ''))).toBe(true);
      expect(short.replace('…', '').length).toBeLessThanOrEqual(most);
      // No more than the half of a pair is left out.
      if (text.length > most) expect(short.length).toBeGreaterThanOrEqual(most);
      else expect(short).toBe(text);
    }
  });
});

describe('the text of a record', () => {
  const read = (value: unknown): unknown => JSON.parse(recordText(value));

  it('has no half of a pair, neither in values nor in names', () => {
    for (const half of ['\ud800', '\udbff', '\udc00', '\udfff', '\ud83d\ud83d', '\ude00\ud83d']) {
      const text = recordText({ [`name ${half}`]: [`a${half}`, { deep: `${half}b` }] });
      expect(text).not.toMatch(/\\ud/);
      expect(text.isWellFormed()).toBe(true);
      const shown = half.toWellFormed();
      expect(JSON.parse(text)).toEqual({ [`name ${shown}`]: [`a${shown}`, { deep: `${shown}b` }] });
    }
  });

  it('keeps everything else as it is', () => {
    const values = ['😀', '\\ud83d', '\\\\ud83d', 'C:\\ud800\\"\n', '\u0001', '\\u', '"\\', 'a\ud7ff\ue000'];
    expect(read(values)).toEqual(values);
    // Beside a half, where every escape is looked at.
    for (const value of values)
      expect(read([value, `${value}\ud800${value}`])).toEqual([value, `${value}\ufffd${value}`]);
  });

  it('is one line', () => {
    expect(recordText({ a: 'b\n\u2028\ud800' }).split('\n')).toEqual(['{"a":"b\\n\u2028\ufffd"}', '']);
  });
});
