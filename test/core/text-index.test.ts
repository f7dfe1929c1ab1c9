import { describe, expect, it } from 'vitest';
import { unlimitedSteps } from '../../src/core/glob.ts';
import { TextIndex } from '../../src/core/text-index.ts';
import { memoryOf } from '../support/heap.ts';

/** An index keeps at most a little more than a megabyte. */
const mostBytes = 4 * 1024 * 1024;

/** Code points that are letters of some script or could be, from the first behind ASCII. */
const points = Array.from({ length: 50_000 }, (_, at) => String.fromCodePoint(0x80 + at)).filter(
  (character) => character < '\ud800' || character > '\udfff',
);

describe('TextIndex', () => {
  it('takes no more memory for every character that it is asked for and does not have', async () => {
    const ask = (): TextIndex => {
      const index = new TextIndex('kkkkkkkk');
      for (let point = 0x1_0000; point < 0x6_0000; point += 1) {
        const end = index.findEnd([1, String.fromCodePoint(point)], 0, unlimitedSteps);
        if (end !== -1) expect.fail(`finds U+${point.toString(16)}`);
      }
      expect(index.findEnd([1, 'kkk'], 2, unlimitedSteps)).toBe(6);
      return index;
    };
    expect(await memoryOf(ask)).toBeLessThan(mostBytes);
  });

  it('takes no more memory for every character of a long text', async () => {
    const text = points.join('');
    const ask = (): TextIndex => {
      const index = new TextIndex(text);
      for (let at = 1; at < 2_000; at += 1) {
        if (index.findEnd([1, points[at] ?? ''], 0, unlimitedSteps) !== at + 1) expect.fail(`place ${at}`);
      }
      return index;
    };
    expect(await memoryOf(ask)).toBeLessThan(mostBytes);
  });

  it('finds a run of more characters than are kept', () => {
    const text = points.join('');
    const run = [1, points.slice(1, 1_000).join('')];
    expect(new TextIndex(text).findEnd(run, 0, unlimitedSteps)).toBe(1_000);
    expect(new TextIndex(`x${text}`).findEnd([...run, 'x'], 0, unlimitedSteps)).toBe(-1);
  });
});
