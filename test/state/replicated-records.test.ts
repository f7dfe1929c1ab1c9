import { describe, expect, it } from 'vitest';
import { MemoryState } from '../../src/state/memory-state.ts';
import { ReplicatedRecords } from '../../src/state/replicated-records.ts';
import {
  maxRecords,
  type RecordsSnapshot,
  type RecordsVersion,
  StateError,
} from '../../src/state/shared-state.ts';

/** A state of several replicas that the test breaks. */
class FragileState extends MemoryState {
  override readonly isShared: boolean = true;
  isDown = false;
  reads = 0;
  epoch = 'first';

  override async readRecords(known: RecordsVersion | undefined): Promise<RecordsSnapshot | undefined> {
    this.reads += 1;
    if (this.isDown) throw new StateError('down');
    const isContinued = known?.epoch === this.epoch;
    const snapshot = await super.readRecords(isContinued ? known : undefined);
    return snapshot && { ...snapshot, isContinued, version: { ...snapshot.version, epoch: this.epoch } };
  }

  async loseEverything(): Promise<void> {
    const { records } = (await super.readRecords(undefined)) ?? { records: new Map<string, string>() };
    for (const id of records.keys()) await this.removeRecord(id);
    this.epoch = `after ${this.epoch}`;
  }
}

const start = 1_800_000_000_000;

/** Records that are read only when the test reads them. */
async function replicate(state: FragileState, clock = { now: () => start }) {
  const restored: number[] = [];
  const records = new ReplicatedRecords(state, clock, 60_000, {
    refreshed: () => undefined,
    restored: (count) => restored.push(count),
  });
  await records.start();
  records.stop();
  return { records, restored };
}

describe('replicated records', () => {
  it('that are too old are not refreshed by a clock that goes back', async () => {
    const state = new FragileState();
    let now = start;
    const { records } = await replicate(state, { now: () => now });
    state.isDown = true;
    now = start + 60_000;
    expect(records.isFresh()).toBe(true);
    now = start + 60_001;
    expect(records.isFresh()).toBe(false);
    now = start;
    expect(records.isFresh()).toBe(false);
    state.isDown = false;
    await records.learn();
    expect(records.isFresh()).toBe(true);
  });

  it('are too old at once when the clock goes back far', async () => {
    let now = start;
    const { records } = await replicate(new FragileState(), { now: () => now });
    now = start - 60_001;
    expect(records.isFresh()).toBe(false);
    now = start;
    expect(records.isFresh()).toBe(false);
  });

  it('notice that they are too old without being asked', async () => {
    const state = new FragileState();
    let now = start;
    const records = new ReplicatedRecords(state, { now: () => now }, 60_000, {
      refreshed: (outcome) => {
        if (outcome === 'failure') now = start;
      },
      restored: () => undefined,
    });
    await records.start();
    state.isDown = true;
    now = start + 3_600_000;
    await expect.poll(() => now).toBe(start);
    expect(records.isFresh()).toBe(false);
    records.stop();
  });

  it('are all put back, beside what was added meanwhile', async () => {
    const state = new FragileState();
    for (let index = 0; index < maxRecords; index += 1) await state.putRecord(`old-${index}`, 'x');
    const { records, restored } = await replicate(state);
    await state.loseEverything();
    expect(await records.put('new', 'x')).toBe(true);
    expect([records.current.size, records.current.has('new'), restored]).toEqual([
      maxRecords + 1,
      true,
      [maxRecords],
    ]);
    await records.learn();
    expect((await state.readRecords(undefined))?.records.size).toBe(maxRecords + 1);
  });

  it('still count while they cannot be put back, and are put back later', async () => {
    const state = new FragileState();
    await state.putRecord('a', 'x');
    const { records, restored } = await replicate(state);
    await state.loseEverything();
    const { restoreRecords } = state;
    state.restoreRecords = () => Promise.reject(new StateError('full'));
    await expect(records.learn()).rejects.toThrow(StateError);
    expect([[...records.current.keys()], restored]).toEqual([['a'], []]);
    state.restoreRecords = restoreRecords;
    await records.learn();
    expect([[...records.current.keys()], restored]).toEqual([['a'], [1]]);
  });

  it('are read once for all that ask together, and again for later questions', async () => {
    const state = new FragileState();
    const { records } = await replicate(state);
    const before = state.reads;
    await Promise.all(Array.from({ length: 100 }, () => records.learn()));
    expect(state.reads - before).toBeLessThanOrEqual(2);
    await state.putRecord('a', 'x');
    await records.learn();
    expect(records.current.get('a')).toBe('x');
  });

  it('show what was written before the question, even while an older question is open', async () => {
    const state = new FragileState();
    const { records } = await replicate(state);
    const open = records.learn();
    await Promise.resolve();
    await state.putRecord('a', 'x');
    await records.learn();
    expect(records.current.get('a')).toBe('x');
    await open;
  });
});
