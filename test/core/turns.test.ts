import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { askForTurn, nextTurn } from '../../src/core/turns.ts';

/** Queues `count` pieces of work, each of which notes its owner. */
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

it('a turn of the event loop runs one piece, also after all that waited have left', async () => {
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
