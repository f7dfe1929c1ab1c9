import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { PieceDebt } from '../../src/core/piece-debt.ts';

const chunked = { headers: { 'transfer-encoding': 'chunked' } } as IncomingMessage;
const whole = { headers: { 'content-length': '1000000' } } as IncomingMessage;

/** How many pieces of a length are too many; at most 100,000. */
function tooMany(debt: PieceDebt, length: number): number {
  for (let count = 1; count <= 100_000; count += 1) if (debt.isTooMuchWith(length)) return count;
  return Number.POSITIVE_INFINITY;
}

it.each([
  ['chunks of one byte', chunked, 1, 129],
  ['chunks of half the cost of a chunk', chunked, 128, 257],
  ['chunks as long as their cost', chunked, 256, Number.POSITIVE_INFINITY],
  ['packets of one byte', whole, 1, 1093],
  ['packets of some bytes', whole, 16, Number.POSITIVE_INFINITY],
])('%s are limited by the debt that they build up', (_, message, length, count) => {
  expect(tooMany(new PieceDebt(message, 256), length)).toBe(count);
});

it('long pieces pay debt off, and give no credit for tiny ones that follow', () => {
  const debt = new PieceDebt(chunked, 256);
  for (let count = 0; count < 120; count += 1) debt.isTooMuchWith(1);
  expect(debt.isTooMuchWith(10_000_000)).toBe(false);
  expect(tooMany(debt, 1)).toBe(129);
});
