import { describe, expect, it } from 'vitest';
import { type Steps, takeAll, takeInSlices } from '../../src/core/steps.ts';

/** Steps that keep the processor busy for longer than a slice, each. */
function* longSteps(count: number, taken: number[] = []): Steps<string> {
  for (let step = 0; step < count; step += 1) {
    const endsAt = performance.now() + 6;
    while (performance.now() < endsAt);
    taken.push(step);
    yield;
  }
  return 'done';
}

describe('steps', () => {
  it('are taken at once', () => {
    expect(takeAll(longSteps(2))).toBe('done');
  });

  it('are taken in slices, between which other work is done', async () => {
    const taken: number[] = [];
    const seen: number[] = [];
    const look = setInterval(() => void seen.push(taken.length), 0);
    expect(await takeInSlices(longSteps(20, taken))).toBe('done');
    clearInterval(look);
    expect(taken).toHaveLength(20);
    expect(new Set(seen).size).toBeGreaterThan(5);
  });

  it('end at a signal', async () => {
    const taken: number[] = [];
    const ending = new AbortController();
    const ended = takeInSlices(longSteps(20, taken), ending.signal);
    ending.abort();
    await expect(ended).rejects.toThrow();
    expect(taken).toHaveLength(1);
  });

  it('pass on what one throws', async () => {
    function* broken(): Steps<never> {
      yield;
      throw new Error('broken');
    }
    expect(() => takeAll(broken())).toThrow('broken');
    await expect(takeInSlices(broken())).rejects.toThrow('broken');
  });
});
