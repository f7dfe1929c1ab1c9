import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordQueue } from '../../src/audit/record-queue.ts';

const line = (bytes: number): { text: string; bytes: number } => ({ text: 'x'.repeat(bytes), bytes });

describe('a queue of records', () => {
  it('refuses a line for which there is no room', () => {
    const queue = new RecordQueue(100);
    expect(queue.add(line(60), 0, 1)).toBe(true);
    expect(queue.add(line(41), 0, 1)).toBe(false);
    expect(queue.add(line(40), 0, 1)).toBe(true);
  });

  it('keeps the room that is reserved, and gives it back', () => {
    const queue = new RecordQueue(100);
    expect(queue.reserve(70)).toBe(true);
    expect(queue.reserve(31)).toBe(false);
    expect(queue.add(line(31), 0, 1)).toBe(false);
    expect(queue.add(line(60), 70, 1)).toBe(true);
    expect(queue.add(line(40), 0, 1)).toBe(true);
  });

  it('takes a line that is longer than its reservation, while there is room', () => {
    const queue = new RecordQueue(100);
    queue.reserve(50);
    expect(queue.add(line(100), 50, 1)).toBe(true);
    expect(queue.add(line(1), 0, 1)).toBe(false);
  });

  it('lets strangers have a part of it only', () => {
    const queue = new RecordQueue(100);
    expect(queue.add(line(50), 0, 0.5)).toBe(true);
    expect(queue.add(line(1), 0, 0.5)).toBe(false);
    expect(queue.add(line(50), 0, 1)).toBe(true);
  });

  it('gives lines out in their order, at least one, and has room again once they are removed', () => {
    const queue = new RecordQueue(100);
    for (const bytes of [50, 20, 30]) queue.add(line(bytes), 0, 1);
    expect(queue.first({ lines: 10, bytes: 10 }).map((text) => text.length)).toEqual([50]);
    expect(queue.first({ lines: 2, bytes: 100 }).map((text) => text.length)).toEqual([50, 20]);
    expect(queue.first({ lines: 9, bytes: 70 }).map((text) => text.length)).toEqual([50, 20]);
    queue.remove(2);
    expect(queue.length).toBe(1);
    expect(queue.add(line(70), 0, 1)).toBe(true);
    expect(queue.first({ lines: 9, bytes: 100 }).map((text) => text.length)).toEqual([30, 70]);
  });

  it('never holds more than its bound, whatever is reserved, added and removed', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), bytes: fc.nat(60), share: fc.constantFrom(0.5, 1) }),
      fc.record({ kind: fc.constant('hold' as const), bytes: fc.nat(60), share: fc.constant(1) }),
      fc.record({ kind: fc.constant('use' as const), bytes: fc.nat(60), share: fc.constant(1) }),
      fc.record({ kind: fc.constant('remove' as const), bytes: fc.nat(3), share: fc.constant(1) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new RecordQueue(100);
        const held: number[] = [];
        const inQueue = (): number =>
          queue.first({ lines: 1000, bytes: 1000 }).reduce((sum, text) => sum + text.length, 0);
        for (const { kind, bytes, share } of steps) {
          if (kind === 'add') queue.add(line(bytes), 0, share);
          else if (kind === 'hold') {
            if (queue.reserve(bytes)) held.push(bytes);
          } else if (kind === 'use') {
            const reserved = held.pop();
            // A line of a reserved length is never refused.
            if (reserved !== undefined) expect(queue.add(line(reserved), reserved, 1)).toBe(true);
          } else queue.remove(bytes);
          expect(inQueue() + held.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(100);
        }
      }),
    );
  });
});
