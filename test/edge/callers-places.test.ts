import { expect, it, onTestFinished, vi } from 'vitest';
import { CallersPlaces } from '../../src/edge/callers-places.ts';

/** How many places one caller gets when it takes as many as it can. */
function takeAll(places: CallersPlaces, caller: string): number {
  let taken = 0;
  while (places.take(caller)) taken += 1;
  return taken;
}

it('a lone caller may take every place', () => {
  const places = new CallersPlaces(100);
  expect(takeAll(places, 'alice')).toBe(100);
  expect(places.taken).toBe(100);
});

it('while others call, one caller gets at most three quarters, and the last eighth is for callers with few places', () => {
  const places = new CallersPlaces(512);
  places.take('zoe');
  places.giveBack('zoe');
  expect(takeAll(places, 'alice')).toBe(384);
  expect(takeAll(places, 'bob')).toBe(64);
  for (const caller of ['carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan'])
    expect(takeAll(places, caller)).toBe(8);
  expect(places.taken).toBe(504);
  expect(places.take('judy')).toBe(true);
});

it('a place that is given back goes to others while its caller still holds most of them', () => {
  const places = new CallersPlaces(8);
  expect(takeAll(places, 'alice')).toBe(8);
  expect(places.take('bob')).toBe(false);
  places.giveBack('alice');
  expect(places.take('alice')).toBe(false);
  expect(places.take('bob')).toBe(true);
  places.giveBack('bob');
  for (let index = 0; index < 7; index += 1) places.giveBack('alice');
  expect(places.taken).toBe(0);
  expect(takeAll(places, 'alice')).toBe(6);
});

it('a caller counts as active for a minute', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => now.mockRestore());
  const places = new CallersPlaces(8);
  places.take('bob');
  places.giveBack('bob');
  now.mockReturnValue(59_999);
  expect(takeAll(places, 'alice')).toBe(6);
  now.mockReturnValue(60_000);
  expect(takeAll(places, 'alice')).toBe(2);
});

it('a caller may have a limit of its own, also when it is alone', () => {
  const places = new CallersPlaces(100);
  for (let taken = 0; taken < 25; taken += 1) expect(places.take('forms', 25)).toBe(true);
  expect(places.take('forms', 25)).toBe(false);
  places.giveBack('forms');
  expect(places.take('forms', 25)).toBe(true);
  expect(places.take('alice')).toBe(true);
});

it('one caller may take all of three places', () => {
  const places = new CallersPlaces(3);
  places.take('bob');
  places.giveBack('bob');
  expect(takeAll(places, 'alice')).toBe(3);
});
