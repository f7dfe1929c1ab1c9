import { readFileSync } from 'node:fs';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { RedisState } from '../../src/state/redis-state.ts';
import { type SharedState, StateError } from '../../src/state/shared-state.ts';
import { describeSharedState } from '../state/state-contract.ts';
import { type RedisServer, startRedis } from './redis/start-redis.ts';

let redis: RedisServer;
const opened: SharedState[] = [];
let count = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  for (const state of opened) await state.close();
  await redis.close();
});

function open(url = redis.url, prefix = `test-${++count}:`, caPem?: string): SharedState {
  const state = new RedisState({ url: new Secret(url), ...(caPem === undefined ? {} : { caPem }) }, prefix);
  opened.push(state);
  return state;
}

describeSharedState('in Redis', async () => open());

async function commands(url: string, list: readonly string[][]): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  for (const command of list) await client.sendCommand(command);
  client.destroy();
}

const now = (): number => systemClock.now();
const use = (state: SharedState, name = 'a'): Promise<boolean> => state.useOnce(name, now() + 60_000, now());

describe('a state in Redis', () => {
  it('is shared by all that use the same prefix, and by no others', async () => {
    const [one, same, other] = [
      open(redis.url, 'same:'),
      open(redis.url, 'same:'),
      open(redis.url, 'other:'),
    ];
    expect([await use(one), await use(same), await use(other)]).toEqual([true, false, true]);
    const begun = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? one : same).beginAttempt('d', { maxFailures: 5, windowMs: 1000 }, 1000),
      ),
    );
    expect(begun.filter(Boolean)).toHaveLength(5);
    await one.putRecord('r', 'text');
    expect((await same.readRecords(undefined))?.records.get('r')).toBe('text');
    expect((await other.readRecords(undefined))?.records.size).toBe(0);
  });

  it('is separate for another database of the same Redis', async () => {
    const [one, other] = [open(`${redis.url}/1`, 'same:'), open(`${redis.url}/2`, 'same:')];
    expect([await use(one), await use(other)]).toEqual([true, true]);
  });

  it('has another epoch once it was lost', async () => {
    const own = await startRedis();
    const state = open(own.url);
    await state.putRecord('r', 'text');
    const before = await state.readRecords(undefined);
    await own.stop();
    await own.restart();
    await expect
      .poll(() => state.readRecords(before?.version).catch(() => undefined), { timeout: 5000 })
      .toBeDefined();
    const after = await state.readRecords(undefined);
    expect(after?.records.size).toBe(0);
    expect(after?.version.epoch).not.toBe(before?.version.epoch);
    await own.close();
  });
});

describe('records in a Redis', () => {
  const ids = async (state: SharedState): Promise<string[]> => [
    ...((await state.readRecords(undefined))?.records.keys() ?? []),
  ];

  it.each([
    ['full', ['maxmemory', '1', 'maxmemory-policy', 'noeviction']],
    ['short of replicas', ['min-replicas-to-write', '1']],
  ])('that is %s can be read, and not written', async (_, settings) => {
    const own = await startRedis();
    const state = open(own.url);
    await state.putRecord('r', 'text');
    const before = await state.readRecords(undefined);
    await commands(own.url, [['CONFIG', 'SET', ...settings]]);
    expect(await ids(state)).toEqual(['r']);
    expect(await state.readRecords(before?.version)).toBeUndefined();
    await expect(state.putRecord('s', 'text')).rejects.toThrow(StateError);
    await own.close();
  });

  it.each([
    ['one change', 1],
    ['several changes', 3],
  ])('that lost some changes and then gained %s do not continue what was known', async (_, further) => {
    const state = open(redis.url, 'rollback:');
    await state.putRecord('kept', 'x');
    await commands(redis.url, [['COPY', 'rollback:records', 'backup', 'REPLACE']]);
    await state.putRecord('lost', 'x');
    const known = await state.readRecords(undefined);
    await commands(redis.url, [['COPY', 'backup', 'rollback:records', 'REPLACE']]);
    expect((await state.readRecords(known?.version))?.isContinued).toBe(false);
    for (let index = 0; index < further; index += 1) await state.putRecord(`new-${index}`, 'x');
    expect((await state.readRecords(known?.version))?.isContinued).toBe(false);
  });

  it('whose past is forgotten do not continue it', async () => {
    const state = open();
    await state.putRecord('a', 'x');
    const known = await state.readRecords(undefined);
    for (let index = 0; index < 499; index += 1) await state.putRecord('b', String(index));
    expect((await state.readRecords(known?.version))?.isContinued).toBe(true);
    await state.putRecord('b', 'last');
    expect((await state.readRecords(known?.version))?.isContinued).toBe(false);
  });
});

describe('when Redis', () => {
  it('is down, every answer within about a second is that nothing is known', async () => {
    const own = await startRedis({ isStarted: false });
    const state = open(own.url);
    const started = now();
    await expect(use(state)).rejects.toThrow(StateError);
    await expect(state.beginAttempt('d', { maxFailures: 5, windowMs: 1000 }, 1)).rejects.toThrow(StateError);
    await expect(state.readRecords(undefined)).rejects.toThrow(StateError);
    await expect(state.putRecord('a', 'b')).rejects.toThrow(StateError);
    expect(now() - started).toBeLessThan(10_000);
    await own.restart();
    await expect.poll(() => use(state, 'later').catch(() => false), { timeout: 5000 }).toBe(true);
    await own.close();
  });

  it('hangs, no request waits for long, and it is used again once it answers', async () => {
    const own = await startRedis();
    const state = open(own.url);
    expect(await use(state, 'before')).toBe(true);
    own.pause();
    const faults = await Promise.allSettled(
      Array.from({ length: 3000 }, (_, index) => use(state, `x${index}`)),
    );
    expect(faults.every((one) => one.status === 'rejected' && one.reason instanceof StateError)).toBe(true);
    own.resume();
    await expect.poll(() => use(state, 'after').catch(() => false), { timeout: 10_000 }).toBe(true);
    expect(await use(state, 'before')).toBe(false);
    await own.close();
  });

  it('needs a password, it gets the one in the URL, and no output shows it', async () => {
    const own = await startRedis({ args: ['--requirepass', 'the-password'] });
    const { port } = new URL(own.url);
    expect(await use(open(`redis://:the-password@127.0.0.1:${port}`))).toBe(true);
    for (const url of [own.url, `redis://:wrong-password@127.0.0.1:${port}`]) {
      const fault: unknown = await use(open(url)).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(StateError);
      expect(String(fault)).not.toContain('password@');
      expect(String(fault)).not.toContain('wrong-password');
    }
    await own.close();
  });

  it('speaks TLS, a private authority identifies it and no other does', async () => {
    const tls = (name: string): string => new URL(`../support/tls/${name}`, import.meta.url).pathname;
    const own = await startRedis({
      args: [
        ...['--port', '0', '--tls-port', 'PORT', '--tls-auth-clients', 'no'],
        ...[
          '--tls-cert-file',
          tls('server.pem'),
          '--tls-key-file',
          tls('server-key.pem'),
          '--tls-ca-cert-file',
          tls('ca.pem'),
        ],
      ],
    });
    const url = `rediss://localhost:${new URL(own.url).port}`;
    expect(await use(open(url, 'tls:', readFileSync(tls('ca.pem'), 'utf8')))).toBe(true);
    await expect(use(open(url, 'tls:'))).rejects.toThrow(StateError);
    await expect(use(open(url.replace('rediss', 'redis'), 'tls:'))).rejects.toThrow(StateError);
    await own.close();
  });
});
