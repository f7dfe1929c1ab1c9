import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { askForTurn, nextTurn, restAfter, strangers, takeShare } from '../../src/core/turns.ts';

/** Queues `count` pieces of work, each of which records its owner. */
function queue(owner: string, count: number, done: string[]): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, () => nextTurn(owner).then(() => done.push(owner))));
}

it('an owner with much work delays the work of another by a single piece', async () => {
  const done: string[] = [];
  const all = queue('first', 50, done);
  await queue('second', 1, done);
  expect(done.length).toBeLessThanOrEqual(2);
  await all;
  expect(done.filter((owner) => owner === 'first')).toHaveLength(50);
});

it('owners take turns', async () => {
  const done: string[] = [];
  await Promise.all([queue('a', 3, done), queue('b', 3, done), queue('c', 1, done)]);
  expect(done.join('')).toBe('abcabab');
});

it('a turn of the event loop runs one piece', async () => {
  const done: string[] = [];
  const all = queue('a', 5, done);
  for (let turn = 0; turn < 5; turn += 1) {
    const before = done.length;
    await setImmediate();
    expect(done.length - before).toBeLessThanOrEqual(1);
  }
  await all;
});

it('an abandoned turn does not come, and delays no other', async () => {
  const done: string[] = [];
  const asked = Array.from({ length: 50 }, () => askForTurn('a'));
  for (const { comes } of asked) void comes.then(() => done.push('abandoned'));
  const last = nextTurn('a').then(() => done.push('last'));
  for (const { abandon } of asked) abandon();
  await setImmediate();
  expect(done).toEqual(['last']);
  await last;
});

it('a turn of the event loop runs one piece, even after all waiting pieces have left', async () => {
  for (let round = 0; round < 3; round += 1) askForTurn('a').abandon();
  const done: string[] = [];
  const all = queue('a', 5, done);
  for (let turn = 0; turn < 5; turn += 1) {
    const before = done.length;
    await setImmediate();
    expect(done.length - before).toBeLessThanOrEqual(1);
  }
  await all;
});

it('the sessions of an owner take turns within its turns', async () => {
  const done: string[] = [];
  const queueOf = (session: string, count: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, () => nextTurn('role', session).then(() => done.push(session))),
    );
  const all = [queueOf('mallory', 50), queue('user', 4, done)];
  await queueOf('victim', 1);
  expect(done).toEqual(['mallory', 'user', 'victim']);
  await Promise.all(all);
  expect(done.slice(3, 9)).toEqual(['user', 'mallory', 'user', 'mallory', 'user', 'mallory']);
  expect(done).toHaveLength(55);
});

it('a turn that is abandoned within an owner delays none of its other sessions', async () => {
  const done: string[] = [];
  const asked = Array.from({ length: 5 }, () => askForTurn('role', 'mallory'));
  const last = nextTurn('role', 'victim').then(() => done.push('victim'));
  for (const { abandon } of asked) abandon();
  await setImmediate();
  expect(done).toEqual(['victim']);
  await last;
});

/** Lets all requested turns pass, and every owner rest. */
async function rest(): Promise<void> {
  await setTimeout(50);
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
}

describe('pieces that take a part of a turn', () => {
  it('begin together, as many as fit into it', async () => {
    const done: string[] = [];
    for (let piece = 0; piece < 6; piece += 1) void nextTurn('a', 'a', 0.25).then(() => done.push('a'));
    await setImmediate();
    expect(done).toHaveLength(4);
    await setImmediate();
    expect(done).toHaveLength(6);
  });

  it('of one owner leave room in a turn for those of another', async () => {
    const done: string[] = [];
    const note = (owner: string): void => void nextTurn(owner, owner, 0.25).then(() => done.push(owner));
    for (let piece = 0; piece < 6; piece += 1) note('a');
    for (let piece = 0; piece < 2; piece += 1) note('b');
    await setImmediate();
    expect(done.join('')).toBe('abab');
    await setImmediate();
    expect(done.join('')).toBe('ababaaaa');
  });

  it.each([
    ['short', 1 / 32],
    ['long', 1],
  ])('of as many owners as a client likes, however %s, hardly delay another owner', async (_, share) => {
    await rest();
    let isFlooding = true;
    const flood = async (owner: string): Promise<void> => {
      while (isFlooding) await nextTurn(owner, owner, share);
    };
    const floods = Array.from({ length: 320 }, (_, at) => flood(`role-${at % 32}`));
    for (let turn = 0; turn < 100; turn += 1) await setImmediate();
    let passed = 0;
    let isDone = false;
    const asked = nextTurn('alice', 'alice', 1 / 32).then(() => {
      isDone = true;
    });
    for (; !isDone; passed += 1) await setImmediate();
    isFlooding = false;
    await Promise.all([asked, ...floods]);
    expect(passed).toBeLessThanOrEqual(2);
  });

  it('begin at once while there is room and no work waits', async () => {
    await rest();
    expect([takeShare('a', 0.5), takeShare('b', 0.5), takeShare('a', 0.1)]).toEqual([true, true, false]);
    const waiting = nextTurn('a', 'a', 0.1);
    await setImmediate();
    await waiting;
    expect(takeShare('a', 0.9)).toBe(true);
    const asked = askForTurn('a', 'a', 0.1);
    expect(takeShare('b', 0.01)).toBe(false);
    asked.abandon();
    expect(takeShare('c', 1)).toBe(false);
  });
});

describe('a piece of several turns', () => {
  it('has a turn for itself, and its owner begins nothing for as long as it may have taken, while others do', async () => {
    await rest();
    const done: string[] = [];
    const note = (owner: string, share: number): Promise<number> =>
      nextTurn(owner, owner, share).then(() => done.push(owner));
    const began = performance.now();
    const long = [note('long', 50), note('long', 0.1)];
    for (let piece = 0; piece < 6; piece += 1) void note('other', 0.9);
    await long[0];
    expect(done).toEqual(['long']);
    await setTimeout(20);
    // While only a resting owner waits, another one does not wait for it.
    await note('third', 0.1);
    expect(done.filter((owner) => owner === 'other')).toHaveLength(6);
    await Promise.all(long);
    expect(performance.now() - began).toBeGreaterThanOrEqual(49 * 2);
  });

  it('lets its owner begin nothing at once meanwhile', async () => {
    await rest();
    await nextTurn('long', 'long', 200);
    await setImmediate();
    expect([takeShare('long', 0.1), takeShare('other', 0.1)]).toEqual([false, true]);
    await expect.poll(() => takeShare('long', 0.1)).toBe(true);
  });
});

it('a piece that has taken longer than its turn makes its owner rest for as long', async () => {
  await rest();
  restAfter('slow', 200);
  restAfter('quick', 1);
  expect([takeShare('slow', 0.1), takeShare('quick', 0.1)]).toEqual([false, true]);
  const began = performance.now();
  await nextTurn('slow', 'slow', 0.1);
  expect(performance.now() - began).toBeGreaterThan(100);
});

it('an owner that has rested is not waited for again and again while another one rests', async () => {
  await rest();
  restAfter('over', 4);
  await setTimeout(10);
  await nextTurn('long', 'long', 50);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  await nextTurn('long', 'long', 0.1);
  expect(timers.mock.calls.length).toBeLessThan(10);
  timers.mockRestore();
});

it('strangers have a quarter of the turns, however many callers there are', async () => {
  await rest();
  const done: string[] = [];
  for (let piece = 0; piece < 6; piece += 1)
    for (const owner of ['alice', 'bob']) void nextTurn(owner).then(() => done.push('known'));
  for (let piece = 0; piece < 40; piece += 1) void nextTurn(strangers).then(() => done.push('stranger'));
  while (done.filter((who) => who === 'known').length < 12) await setImmediate();
  expect(done.filter((who) => who === 'stranger').length).toBeGreaterThanOrEqual(3);
  expect(done.filter((who) => who === 'stranger').length).toBeLessThanOrEqual(4);
  while (done.length < 52) await setImmediate();
});
