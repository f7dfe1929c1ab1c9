import { expect, it } from 'vitest';
import { systemRandomness } from '../../src/core/randomness.ts';

it('gives as many bytes as requested, and never the same twice', () => {
  for (const length of [0, 1, 8, 32, 8191, 8192, 8193, 100_000]) {
    expect(systemRandomness.bytes(length)).toHaveLength(length);
  }
  const ids = new Set(
    Array.from({ length: 5000 }, () => Buffer.from(systemRandomness.bytes(8)).toString('hex')),
  );
  expect(ids.size).toBe(5000);
});

it('hands out bytes that a later caller does not share', () => {
  const first = systemRandomness.bytes(16);
  const copy = Buffer.from(first);
  for (let round = 0; round < 2000; round += 1) systemRandomness.bytes(16).fill(7);
  expect(Buffer.from(first).equals(copy)).toBe(true);
});
