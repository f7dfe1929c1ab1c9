import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, parseGlob, unlimitedSteps } from '../../src/core/glob.ts';
import { startCpuTime } from '../support/cpu-time.ts';
import { slowGlob } from '../support/reference-evaluator.ts';

function matches(pattern: string, text: string): boolean {
  return compileGlob(parseGlob(pattern))(text, unlimitedSteps);
}

function stepsOf(pattern: string, text: string): number {
  let steps = 0;
  const spend = (count: number): void => {
    steps += count;
  };
  compileGlob(parseGlob(pattern))(text, { spend });
  return steps;
}

const alphabet = fc.constantFrom('a', 'b', '/', '😀', 'é');
const pattern = fc
  .array(fc.oneof(alphabet, fc.constantFrom('*', '?')), { maxLength: 12 })
  .map((pieces) => pieces.join(''));
const text = fc.array(alphabet, { maxLength: 12 }).map((pieces) => pieces.join(''));

describe('compileGlob', () => {
  it('agrees with the textbook matcher', () => {
    fc.assert(
      fc.property(pattern, text, (drawnPattern, drawnText) => {
        expect(matches(drawnPattern, drawnText)).toBe(slowGlob(drawnPattern, drawnText));
      }),
      { numRuns: 5000 },
    );
  });

  it('agrees with the textbook matcher on long runs that repeat themselves', () => {
    const unit = fc.constantFrom('a', 'b', 'ab', 'aab', '😀');
    const run = fc
      .tuple(fc.array(unit, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 6 }))
      .map(([pieces, count]) => pieces.join('').repeat(count));
    const long = fc
      .array(fc.oneof(run, fc.constantFrom('*', '*', '?')), { minLength: 1, maxLength: 6 })
      .map((pieces) => pieces.join(''));
    let matched = 0;
    fc.assert(
      fc.property(long, fc.array(run, { maxLength: 4 }), fc.string(), (drawn, pieces, noise) => {
        for (const drawnText of [pieces.join(''), drawn.replaceAll('*', noise).replaceAll('?', '😀')]) {
          if (/[*?]/.test(drawnText)) continue;
          const expected = slowGlob(drawn, drawnText);
          matched += expected ? 1 : 0;
          expect(matches(drawn, drawnText)).toBe(expected);
        }
      }),
      { numRuns: 3000 },
    );
    expect(matched).toBeGreaterThan(1000);
  });

  it.each([
    ['', 'a'],
    ['a', ''],
    ['a', 'ab'],
    ['a', 'A'],
    ['a*', 'ba'],
    ['*a', 'ab'],
    ['?', ''],
    ['?', 'ab'],
    ['??', '😀'],
    ['*?', ''],
    ['a*b*c', 'acb'],
    ['a?c', 'ac'],
    ['[a]', 'a'],
    ['a.c', 'abc'],
    ['ab*ba', 'aba'],
    ['a?*?a', 'axa'],
    ['*aaaaaaaab*b', 'aaaaaaaaab'],
    ['*😀?', '😀'],
  ])('%j does not match %j', (drawnPattern, drawnText) => {
    expect(matches(drawnPattern, drawnText)).toBe(false);
  });

  it.each([
    ['', ''],
    ['*', ''],
    ['**', 'a/b:c'],
    ['?', '😀'],
    ['*?', '😀'],
    ['a*b*c', 'aXbYbZc'],
    ['*ab', 'aab'],
    ['?*?', 'ab'],
    ['?*?', '😀😀'],
    ['*?a', '😀a'],
    ['*aabaabaaab*', 'aabaabaabaaabx'],
  ])('%j matches %j', (drawnPattern, drawnText) => {
    expect(matches(drawnPattern, drawnText)).toBe(true);
  });

  it('takes text tokens literally, whatever they hold', () => {
    const matcher = compileGlob([{ kind: 'text', text: 'home/*' }, { kind: 'any' }]);
    expect(matcher('home/*/x', unlimitedSteps)).toBe(true);
    expect(matcher('home/anna/x', unlimitedSteps)).toBe(false);
  });

  it('decides sixty stars on a long key at once', () => {
    const hostile = compileGlob(parseGlob(`${'*a'.repeat(60)}*b`));
    const cpuMs = startCpuTime();
    for (let run = 0; run < 100; run += 1) expect(hostile('a'.repeat(1024), unlimitedSteps)).toBe(false);
    expect(cpuMs()).toBeLessThan(2000);
  });

  it.each([
    ['a long run', `*${'a'.repeat(1800)}b*`],
    ['a long run that repeats itself', `*${'ab'.repeat(900)}b*`],
    ['a short run', '*aaaaab*'],
    ['many short runs', '*aab'.repeat(200)],
    ['runs that overlap', `*${'a'.repeat(20)}b*${'a'.repeat(900)}*`],
  ])('takes a number of steps that is linear in the text to find %s', (_title, hostile) => {
    const text = 'a'.repeat(28_000);
    expect(stepsOf(hostile, text)).toBeLessThanOrEqual(2 * (text.length + hostile.length));
  });

  it('agrees with the textbook matcher on runs with question marks in texts of many words of bits', () => {
    const letter = fc.constantFrom('a', 'a', 'b', '😀');
    const texts = fc.array(letter, { minLength: 20, maxLength: 140 });
    const run = fc.tuple(fc.nat(130), fc.array(fc.boolean(), { minLength: 1, maxLength: 70 }));
    let matched = 0;
    fc.assert(
      fc.property(texts, fc.array(run, { minLength: 1, maxLength: 3 }), letter, (points, runs, other) => {
        // Pieces of the text with gaps, in any order, so that they are often there and often overlap.
        const pieces = runs.map(([at, gaps]) =>
          gaps
            .map((isGap, index) => (isGap ? '?' : (points[(at + index) % points.length] ?? other)))
            .join(''),
        );
        const drawn = `*${pieces.join('*')}*`;
        const expected = slowGlob(drawn, points.join(''));
        matched += expected ? 1 : 0;
        expect(matches(drawn, points.join(''))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    expect(matched).toBeGreaterThan(200);
    expect(matched).toBeLessThan(1800);
  });

  it('takes a 32nd of the comparisons to find a run with a question mark', () => {
    const text = `b${'a'.repeat(10_000)}`;
    const run = 100;
    const comparisons = (run * text.length) / 32;
    expect(stepsOf(`*${'a'.repeat(run)}?b*`, text)).toBeLessThanOrEqual(comparisons + 5 * text.length);
    expect(stepsOf('*b?a*'.repeat(30), text)).toBeLessThanOrEqual(5 * text.length);
  });

  it('stops when the budget is used up', () => {
    const refuse = (): never => {
      throw new RangeError('used up');
    };
    for (const hostile of ['*a*', `*${'a'.repeat(100)}*`, '*a?*', '?a']) {
      expect(() => compileGlob(parseGlob(hostile))('b'.repeat(200), { spend: refuse })).toThrow('used up');
    }
  });
});
