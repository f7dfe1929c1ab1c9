import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { RedisState } from '../../src/state/redis-state.ts';
import { StateFault } from '../../src/state/shared-state.ts';
import { type SmallRedis, startSmallRedis } from './small-redis.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

const use = (state: RedisState, name: string): Promise<boolean> =>
  state.useOnce(name, systemClock.now() + 60_000, systemClock.now());

/** A Redis that does not run yet, and a state that is kept in it. */
async function futureRedis(): Promise<{ state: RedisState; start: () => Promise<SmallRedis> }> {
  const { port, close } = await startSmallRedis();
  await close();
  const state = new RedisState({ url: new Secret(`redis://127.0.0.1:${port}`) }, 'test:');
  closing.push(state);
  const start = async (): Promise<SmallRedis> => {
    const redis = await startSmallRedis(port);
    closing.push(redis);
    return redis;
  };
  return { state, start };
}

describe('a command for a Redis that has never been there', () => {
  it('fails, and does not run when Redis appears', async () => {
    const { state, start } = await futureRedis();
    await expect(use(state, 'assertion')).rejects.toThrow(StateFault);
    const redis = await start();
    await expect.poll(() => use(state, 'probe').catch(() => undefined), { timeout: 10_000 }).toBeDefined();
    expect(redis.set).not.toContain('test:used:assertion');
    expect(await use(state, 'assertion')).toBe(true);
    expect(await use(state, 'assertion')).toBe(false);
  });
});
