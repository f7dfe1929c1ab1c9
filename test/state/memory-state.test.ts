import { describe, expect, it } from 'vitest';
import { MemoryState } from '../../src/state/memory-state.ts';
import { StateError } from '../../src/state/shared-state.ts';
import { describeSharedState } from './state-contract.ts';

describeSharedState('in memory', async () => new MemoryState());

describe('the state of one process', () => {
  it('refuses what it could not remember, until there is room again', async () => {
    const state = new MemoryState();
    for (let index = 0; index < 100_000; index += 1) await state.useOnce(String(index), 1000, 0);
    await expect(state.useOnce('one more', 1000, 0)).rejects.toThrow(StateError);
    expect(await state.useOnce('1', 1000, 0)).toBe(false);
    expect(await state.useOnce('one more', 5000, 1000)).toBe(true);
  });

  it('is not shared', async () => {
    const [one, other] = [new MemoryState(), new MemoryState()];
    await one.useOnce('a', 1000, 0);
    expect([one.isShared, await other.useOnce('a', 1000, 0)]).toEqual([false, true]);
  });
});
