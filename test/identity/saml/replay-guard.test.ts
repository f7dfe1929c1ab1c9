import { describe, expect, it } from 'vitest';
import { MemoryReplayGuard } from '../../../src/identity/saml/replay-guard.ts';

describe('the memory of used assertions', () => {
  const start = 1_000_000;
  it('knows each id until its time is over, and not one of them longer', async () => {
    let now = start;
    const guard = new MemoryReplayGuard({ now: () => now });
    expect(await guard.useOnce('a', start + 1000)).toBe(true);
    expect(await guard.useOnce('b', start + 3000)).toBe(true);
    now += 999;
    expect([await guard.useOnce('a', start + 9000), await guard.useOnce('b', start + 9000)]).toEqual([
      false,
      false,
    ]);
    now += 1;
    expect([await guard.useOnce('a', start + 9000), await guard.useOnce('b', start + 9000)]).toEqual([
      true,
      false,
    ]);
  });

  it('lets one of many at once through', async () => {
    const guard = new MemoryReplayGuard({ now: () => start });
    const uses = await Promise.all(Array.from({ length: 50 }, () => guard.useOnce('a', start + 1000)));
    expect(uses.filter(Boolean)).toHaveLength(1);
  });

  it('refuses what it could not remember', async () => {
    let now = start;
    const guard = new MemoryReplayGuard({ now: () => now });
    for (let index = 0; index < 100_000; index += 1) await guard.useOnce(String(index), start + 1000);
    expect(await guard.useOnce('one more', start + 1000)).toBe(false);
    now += 1000;
    expect(await guard.useOnce('one more', start + 5000)).toBe(true);
  });
});
