import { expect, it } from 'vitest';
import { systemRandomness } from '../../src/core/randomness.ts';
import { RequestIds } from '../../src/edge/request-ids.ts';

it('makes ids of 16 upper-case hexadecimal digits, of which none comes twice', () => {
  const ids = new RequestIds(systemRandomness);
  const made = Array.from({ length: 5_000 }, () => ids.next());
  expect(new Set(made).size).toBe(5_000);
  expect(made.every((id) => /^[0-9A-F]{16}$/.test(id))).toBe(true);
});

it('takes the bytes in the order in which they come', () => {
  let next = 0;
  const ids = new RequestIds({ bytes: (length) => Uint8Array.from({ length }, () => next++) });
  expect([ids.next(), ids.next()]).toEqual(['0001020304050607', '08090A0B0C0D0E0F']);
});
