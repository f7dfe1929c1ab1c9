import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { beginAttemptScript } from '../../src/state/redis-scripts.ts';
import { RedisState } from '../../src/state/redis-state.ts';
import { StateError } from '../../src/state/shared-state.ts';
import { silentName, withHeldLookups } from '../support/held-lookups.ts';
import { testCaPem } from '../support/identity-provider.ts';
import { type SmallRedis, startSmallRedis } from './small-redis.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

const use = (state: RedisState, name: string): Promise<boolean> =>
  state.useOnce(name, systemClock.now() + 60_000, systemClock.now());

/** A Redis that runs, and two replicas' states that are kept in it. */
async function runningRedis(): Promise<{ redis: SmallRedis; state: RedisState; other: RedisState }> {
  const redis = await startSmallRedis();
  const connect = (): RedisState =>
    new RedisState({ url: new Secret(`redis://127.0.0.1:${redis.port}`) }, 'test:');
  const [state, other] = [connect(), connect()];
  closing.push(state, other, redis);
  await use(state, 'probe');
  await use(other, 'probe');
  return { redis, state, other };
}

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
    await expect(use(state, 'assertion')).rejects.toThrow(StateError);
    const redis = await start();
    await expect.poll(() => use(state, 'probe').catch(() => undefined), { timeout: 10_000 }).toBeDefined();
    expect(redis.set).not.toContain('test:used:assertion');
    expect(await use(state, 'assertion')).toBe(true);
    expect(await use(state, 'assertion')).toBe(false);
  });
});

it('a retried connection to Redis does not read the authorities again', async () => {
  let connections = 0;
  const refusing = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined).destroy();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void refusing.close());
  await once(refusing, 'listening');
  const reading = vi.spyOn(tls, 'createSecureContext');
  onTestFinished(() => reading.mockRestore());
  const { port } = refusing.address() as AddressInfo;
  const settings = { url: new Secret(`rediss://127.0.0.1:${port}`), caPem: testCaPem };
  const state = new RedisState(settings, 'test:');
  closing.push(state);
  await expect(use(state, 'assertion')).rejects.toThrow(StateError);
  await expect.poll(() => connections, { timeout: 20_000 }).toBeGreaterThan(2);
  // Node makes a context for each connection that is given none.
  expect(reading).not.toHaveBeenCalled();
});

it('a command whose answer arrived in time has not failed, however long the process was busy', async () => {
  const { redis, state } = await runningRedis();
  redis.pause();
  const used = use(state, 'assertion');
  await expect.poll(redis.hasWaiting).toBe(true);
  await setImmediate();
  redis.resume();
  // Longer than a command may take. Timers come next, before the answer is read.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200);
  expect(await used).toBe(true);
});

describe('a command that a Redis which stalls carries out after its request has failed', () => {
  it('is undone before the next one: a name is not used up', async () => {
    const { redis, state } = await runningRedis();
    redis.pause();
    await expect(use(state, 'assertion')).rejects.toThrow(StateError);
    const again = use(state, 'assertion');
    redis.resume();
    expect(await again).toBe(true);
    expect(await use(state, 'assertion')).toBe(false);
    expect(redis.set.filter((key) => key === 'test:used:assertion')).toHaveLength(3);
  });

  it('undoes its own use only', async () => {
    const { redis, state, other } = await runningRedis();
    expect(await use(other, 'assertion')).toBe(true);
    redis.pause();
    await expect(use(state, 'assertion')).rejects.toThrow(StateError);
    redis.resume();
    expect(await use(state, 'assertion')).toBe(false);
    expect(await use(other, 'assertion')).toBe(false);
  });

  it('is undone before the next one: an attempt does not count', async () => {
    const { redis, state } = await runningRedis();
    const limit = { maxFailures: 5, windowMs: 300_000 };
    redis.pause();
    await expect(state.beginAttempt('device', limit, systemClock.now())).rejects.toThrow(StateError);
    redis.resume();
    await use(state, 'probe');
    const names = redis.commands.slice(2).map(([name, script]) => (name === 'EVAL' ? script : name));
    expect(names).toEqual([beginAttemptScript, 'LREM', 'SET']);
    const [begun, undone] = redis.commands.slice(2);
    expect(begun?.[3]).toBe(undone?.[1]);
    expect(begun?.at(-1)).toBe(undone?.at(-1));
  });
});

it('a connection that is written to, and never answered, is replaced', async () => {
  const { redis, state } = await runningRedis();
  redis.hang();
  let attempts = 0;
  // Often enough that the connection is never idle.
  const answered = (): Promise<boolean | undefined> => use(state, `a${attempts++}`).catch(() => undefined);
  await expect.poll(answered, { interval: 50 }).toBe(true);
  expect(attempts).toBeGreaterThan(2);
  expect(await use(state, 'a0')).toBe(true);
});

it('a Redis whose name servers are silent leaves a thread for look-ups of the store, however often it is retried', async () => {
  await withHeldLookups(async (lookups) => {
    const name = silentName('redis');
    const state = new RedisState({ url: new Secret(`redis://${name}:6379`) }, 'test:');
    closing.push(state);
    for (let time = 0; time < 5; time += 1) await expect(use(state, 'x')).rejects.toThrow(StateError);
    expect(lookups.begun).toEqual([name]);
  });
});
