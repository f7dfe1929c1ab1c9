import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { unlimitedSteps } from '../../src/core/glob.ts';
import { TextIndex } from '../../src/core/text-index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Code points that are letters of some script or could be, from the first behind ASCII. */
const points = Array.from({ length: 50_000 }, (_, at) => String.fromCodePoint(0x80 + at)).filter(
  (character) => character < '\ud800' || character > '\udfff',
);

describe('TextIndex', () => {
  it('takes no more memory for every character that it is asked for and does not have', () => {
    const index = new TextIndex('kkkkkkkk');
    const ask = (from: number, to: number): void => {
      for (let point = from; point < to; point += 1) {
        const end = index.findEnd([1, String.fromCodePoint(point)], 0, unlimitedSteps);
        if (end !== -1) expect.fail(`finds U+${point.toString(16)}`);
      }
    };
    ask(0x1_0000, 0x1_8000);
    const before = memory();
    ask(0x1_8000, 0x6_0000);
    expect(memory() - before).toBeLessThan(4 * 1024 * 1024);
    expect(index.findEnd([1, 'kkk'], 2, unlimitedSteps)).toBe(6);
  });

  it('takes no more memory for every character of a long text', () => {
    const text = points.join('');
    const index = new TextIndex(text);
    const ask = (from: number, to: number): void => {
      for (let at = from; at < to; at += 1) {
        if (index.findEnd([1, points[at] ?? ''], 0, unlimitedSteps) !== at + 1) expect.fail(`place ${at}`);
      }
    };
    ask(1, 200);
    const before = memory();
    ask(200, 2_000);
    expect(memory() - before).toBeLessThan(4 * 1024 * 1024);
  });

  it('finds a run of more characters than are kept', () => {
    const text = points.join('');
    const run = [1, points.slice(1, 1_000).join('')];
    expect(new TextIndex(text).findEnd(run, 0, unlimitedSteps)).toBe(1_000);
    expect(new TextIndex(`x${text}`).findEnd([...run, 'x'], 0, unlimitedSteps)).toBe(-1);
  });
});
