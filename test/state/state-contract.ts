import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { maxRecords, type SharedState } from '../../src/state/shared-state.ts';

const limit = { maxFailures: 5, windowMs: 300_000 };

/** What every shared state does, wherever it is kept. `create` makes one that knows nothing yet. */
export function describeSharedState(name: string, create: () => Promise<SharedState>): void {
  describe(`${name}: what may be used once`, () => {
    it('is used by the first, and refused from then on', async () => {
      const state = await create();
      const now = systemClock.now();
      expect(await state.useOnce('a', now + 60_000, now)).toBe(true);
      expect(await state.useOnce('a', now + 60_000, now)).toBe(false);
      expect(await state.useOnce('a', now + 90_000, now + 1)).toBe(false);
      expect(await state.useOnce('b', now + 60_000, now)).toBe(true);
      expect(await state.useOnce('A', now + 60_000, now)).toBe(true);
    });

    it('is used by one of many at once', async () => {
      const state = await create();
      const now = systemClock.now();
      const uses = await Promise.all(Array.from({ length: 50 }, () => state.useOnce('a', now + 60_000, now)));
      expect(uses.filter(Boolean)).toHaveLength(1);
    });

    it('is forgotten when its time is over, and not before', async () => {
      const state = await create();
      const start = systemClock.now();
      await state.useOnce('short', start + 1_000, start);
      await state.useOnce('long', start + 60_000, start);
      expect(await state.useOnce('short', start + 1_000, systemClock.now())).toBe(false);
      await passed(1_050);
      const later = systemClock.now();
      expect(await state.useOnce('short', later + 300, later)).toBe(true);
      expect(await state.useOnce('long', later + 300, later)).toBe(false);
    });

    it('may have any name', async () => {
      const state = await create();
      const now = systemClock.now();
      for (const name of ['', ' ', 'a\0b', 'a\r\nDEL b', 'ü', '*', 'x'.repeat(2000)]) {
        expect(await state.useOnce(name, now + 60_000, now)).toBe(true);
        expect(await state.useOnce(name, now + 60_000, now)).toBe(false);
      }
    });
  });

  describe(`${name}: attempts`, () => {
    const start = 1_800_000_000_000;
    const minute = 60_000;

    it('are five within five minutes, and then none for five', async () => {
      const state = await create();
      for (const at of [0, 1, 2, 3, 4])
        expect(await state.beginAttempt('d', limit, start + at * minute)).toBe(true);
      expect(await state.beginAttempt('d', limit, start + 5 * minute)).toBe(false);
      expect(await state.beginAttempt('d', limit, start + 9 * minute - 1)).toBe(false);
      expect(await state.beginAttempt('d', limit, start + 9 * minute)).toBe(true);
    });

    it('that are refused do not make the lock longer', async () => {
      const state = await create();
      for (let index = 0; index < 50; index += 1) await state.beginAttempt('d', limit, start + index);
      expect(await state.beginAttempt('d', limit, start + 5 * minute + 4)).toBe(true);
    });

    it('at intervals are never too many', async () => {
      const state = await create();
      for (let index = 0; index < 20; index += 1)
        expect(await state.beginAttempt('d', limit, start + index * 2 * minute)).toBe(true);
    });

    it('that succeeded do not count', async () => {
      const state = await create();
      for (let index = 0; index < 20; index += 1) {
        expect(await state.beginAttempt('d', limit, start + index)).toBe(true);
        await state.forgiveAttempt('d', start + index);
      }
    });

    it('that succeeded take back only themselves', async () => {
      const state = await create();
      for (const at of [0, 1, 2, 3]) await state.beginAttempt('d', limit, start + at);
      await state.beginAttempt('d', limit, start + 4);
      await state.forgiveAttempt('d', start + 4);
      await state.forgiveAttempt('d', start + 99);
      await state.forgiveAttempt('other', start);
      expect(await state.beginAttempt('d', limit, start + 5)).toBe(true);
      expect(await state.beginAttempt('d', limit, start + 6)).toBe(false);
    });

    it('that arrive many at once are limited to five', async () => {
      const state = await create();
      const all = await Promise.all(Array.from({ length: 100 }, () => state.beginAttempt('d', limit, start)));
      expect(all.filter(Boolean)).toHaveLength(5);
    });

    it('of one name do not count for another', async () => {
      const state = await create();
      for (let index = 0; index < 9; index += 1) await state.beginAttempt('d', limit, start);
      expect(await state.beginAttempt('e', limit, start)).toBe(true);
    });
  });

  describe(`${name}: records`, () => {
    it('are read once, and again when something changed', async () => {
      const state = await create();
      const empty = await state.readRecords(undefined);
      expect(empty?.records.size).toBe(0);
      expect(await state.readRecords(empty?.version)).toBeUndefined();
      expect(await state.putRecord('a', 'one')).toBe(true);
      const one = await state.readRecords(empty?.version);
      expect([...(one?.records ?? [])]).toEqual([['a', 'one']]);
      expect(await state.readRecords(one?.version)).toBeUndefined();
      await state.putRecord('b', 'two');
      await state.putRecord('a', 'three');
      const both = await state.readRecords(one?.version);
      expect(new Map(both?.records)).toEqual(
        new Map([
          ['a', 'three'],
          ['b', 'two'],
        ]),
      );
      expect(await state.readRecords(both?.version)).toBeUndefined();
    });

    it('are removed once', async () => {
      const state = await create();
      await state.putRecord('a', 'one');
      const before = await state.readRecords(undefined);
      expect([await state.removeRecord('b'), await state.removeRecord('a')]).toEqual([false, true]);
      expect((await state.readRecords(before?.version))?.records.size).toBe(0);
      expect(await state.removeRecord('a')).toBe(false);
    });

    it('say whether they continue what was known', async () => {
      const state = await create();
      const empty = await state.readRecords(undefined);
      await state.putRecord('a', 'one');
      const one = await state.readRecords(empty?.version);
      await state.putRecord('b', 'two');
      await state.removeRecord('a');
      const two = await state.readRecords(one?.version);
      expect([one?.isContinued, two?.isContinued]).toEqual([true, true]);
      expect((await state.readRecords(empty?.version))?.isContinued).toBe(true);
    });

    it('are put back beside existing ones', async () => {
      const state = await create();
      await state.putRecord('a', 'new');
      const before = await state.readRecords(undefined);
      await state.restoreRecords(
        new Map([
          ['a', 'old'],
          ['b', 'lost'],
        ]),
      );
      const after = await state.readRecords(before?.version);
      expect(new Map(after?.records)).toEqual(
        new Map([
          ['a', 'new'],
          ['b', 'lost'],
        ]),
      );
    });

    it('keep an epoch, and a number that only grows', async () => {
      const state = await create();
      const first = await state.readRecords(undefined);
      await state.putRecord('a', 'one');
      await state.removeRecord('a');
      const last = await state.readRecords(undefined);
      expect(last?.version.epoch).toBe(first?.version.epoch);
      expect(last?.version.number).toBe((first?.version.number ?? 0) + 2);
    });

    it.each(['epoch', 'number', 'stamp', 'record:x', 'ü\r\n', '__proto__'])(
      'may have the id %j',
      async (id) => {
        const state = await create();
        await state.putRecord(id, `text of ${id} \r\n "ü"`);
        const snapshot = await state.readRecords(undefined);
        expect([...(snapshot?.records ?? [])]).toEqual([[id, `text of ${id} \r\n "ü"`]]);
      },
    );

    it('are limited in number, but may be replaced', async () => {
      const state = await create();
      const ids = Array.from({ length: maxRecords }, (_, index) => String(index));
      for (let index = 0; index < maxRecords; index += 500) {
        const some = ids.slice(index, index + 500);
        expect(await Promise.all(some.map((id) => state.putRecord(id, 'x')))).not.toContain(false);
      }
      expect(await state.putRecord('one more', 'x')).toBe(false);
      expect(await state.putRecord('17', 'y')).toBe(true);
      await state.removeRecord('18');
      expect(await state.putRecord('one more', 'x')).toBe(true);
      expect((await state.readRecords(undefined))?.records.size).toBe(maxRecords);
      // What was lost is still put back.
      await state.restoreRecords(new Map(ids.map((id) => [`lost ${id}`, 'x'])));
      expect((await state.readRecords(undefined))?.records.size).toBe(2 * maxRecords);
    });
  });
}

function passed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
