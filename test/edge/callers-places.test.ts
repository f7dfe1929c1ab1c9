import { expect, it, onTestFinished, vi } from 'vitest';
import { CallersPlaces } from '../../src/edge/callers-places.ts';

/** How many places a caller gets who takes all there are. */
function takeAll(places: CallersPlaces, caller: string): number {
  let taken = 0;
  while (places.take(caller)) taken += 1;
  return taken;
}

it('a caller who is alone may have all places', () => {
  const places = new CallersPlaces(100);
  expect(takeAll(places, 'alice')).toBe(100);
  expect(places.taken).toBe(100);
});

it('while others call, one caller gets three quarters at most, and the last eighth is for callers who have few', () => {
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

it('a place that is given back is for others while its caller has most of them', () => {
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

it('a caller counts as one who calls for a minute', () => {
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

it('of three places one caller may have all', () => {
  const places = new CallersPlaces(3);
  places.take('bob');
  places.giveBack('bob');
  expect(takeAll(places, 'alice')).toBe(3);
});
