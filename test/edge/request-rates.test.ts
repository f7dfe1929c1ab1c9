import { describe, expect, it } from 'vitest';
import { RequestRates } from '../../src/edge/request-rates.ts';

/** Rates whose clock moves only as the test says. */
function rates(perSecond: number): {
  take: (client?: string) => boolean;
  burst: (client?: string) => number;
  wait: (ms: number) => void;
} {
  // Below 16384: adding a second loses a binary digit.
  let nowMs = 15_500.123;
  const table = new RequestRates(perSecond, () => nowMs);
  const take = (client = 'client'): boolean => table.take(client);
  return {
    take,
    burst: (client) => {
      let count = 0;
      while (count <= perSecond && take(client)) count += 1;
      return count;
    },
    wait: (ms) => {
      nowMs += ms;
    },
  };
}

describe('requests of one client in a second', () => {
  it.each([1, 2, 3, 7, 10, 300, 1000])('are %i at once, and as many again after a second', (perSecond) => {
    const { burst, wait } = rates(perSecond);
    expect(burst()).toBe(perSecond);
    wait(1000);
    expect(burst()).toBe(perSecond);
  });

  it('are as many whatever the fractions of the clock', () => {
    for (let start = 0; start < 1000; start += 1) {
      const { burst, wait } = rates(3);
      wait(start * 0.137);
      burst();
      wait(1000);
      expect(burst()).toBe(3);
    }
  });

  it('are no more after an hour of silence', () => {
    const { burst, wait } = rates(10);
    wait(3_600_000);
    expect(burst()).toBe(10);
    wait(3_600_000);
    expect(burst()).toBe(10);
  });

  it('come back one by one', () => {
    const { take, burst, wait } = rates(10);
    burst();
    wait(99);
    expect(take()).toBe(false);
    wait(2);
    expect(take()).toBe(true);
    expect(take()).toBe(false);
  });

  it('come back to a client that goes on with refused requests', () => {
    const { take, burst, wait } = rates(2);
    burst();
    let passed = 0;
    for (let sent = 0; sent < 1000; sent += 1) {
      wait(10);
      if (take()) passed += 1;
    }
    expect(passed).toBeGreaterThanOrEqual(19);
    expect(passed).toBeLessThanOrEqual(20);
  });

  it('do not depend on other clients', () => {
    const { take, burst } = rates(1);
    burst('one');
    expect(take('one')).toBe(false);
    expect(take('two')).toBe(true);
  });

  it('are not forgotten while fewer than 32768 other clients send some', () => {
    const { take, burst } = rates(1);
    burst('one');
    for (let other = 0; other < 32_767; other += 1) take(`other ${other}`);
    expect(take('one')).toBe(false);
    for (let other = 0; other < 32_768; other += 1) take(`another ${other}`);
    expect(take('one')).toBe(true);
  });
});
