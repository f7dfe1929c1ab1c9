import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordQueue } from '../../src/audit/record-queue.ts';

interface SizedLine {
  text: string;
  bytes: number;
  holder: string;
}
const line = (bytes: number, holder = 'alice'): SizedLine => ({ text: 'x'.repeat(bytes), bytes, holder });

describe('a queue of records', () => {
  it('refuses a line for which its holder has no room', () => {
    const queue = new RecordQueue(100);
    expect(queue.add(line(30), 0)).toBe(true);
    expect(queue.add(line(21), 0)).toBe(false);
    expect(queue.add(line(20), 0)).toBe(true);
    expect(queue.add(line(1), 0)).toBe(false);
  });

  it('keeps the room that is reserved, and gives it back', () => {
    const queue = new RecordQueue(100);
    expect(queue.reserve('alice', 40)).toBe(true);
    expect(queue.reserve('alice', 11)).toBe(false);
    expect(queue.add(line(11), 0)).toBe(false);
    expect(queue.add(line(30), 40)).toBe(true);
    expect(queue.reserve('alice', 20)).toBe(true);
    expect(queue.reserve('alice', -20)).toBe(true);
    expect(queue.add(line(20), 0)).toBe(true);
  });

  it('takes a line that is longer than its reservation, while there is room', () => {
    const queue = new RecordQueue(100);
    queue.reserve('alice', 20);
    expect(queue.add(line(50), 20)).toBe(true);
    expect(queue.add(line(1), 0)).toBe(false);
  });

  it('gives the room back that was reserved for a line without room', () => {
    const queue = new RecordQueue(100);
    queue.reserve('alice', 20);
    expect(queue.add(line(51), 20)).toBe(false);
    expect(queue.reserve('alice', 50)).toBe(true);
  });

  it('never gives a holder more than what is left for all others, so that the next one finds room', () => {
    const queue = new RecordQueue(1_000);
    const shares = ['bob', 'carol', 'dan', 'erin'].map((holder) => {
      let bytes = 0;
      // By turns: what is reserved and what waits is of one holder.
      while (bytes % 2 === 0 ? queue.add(line(1, holder), 0) : queue.reserve(holder, 1)) bytes += 1;
      return bytes;
    });
    expect(shares).toEqual([500, 250, 125, 62]);
    expect(queue.add(line(30), 0)).toBe(true);
  });

  it('takes the line of a reserved length, also when its holder has more than is left for others', () => {
    const queue = new RecordQueue(100);
    queue.reserve('bob', 50);
    queue.reserve('carol', 25);
    expect(queue.add(line(50, 'bob'), 50)).toBe(true);
    expect(queue.reserve('bob', 1)).toBe(false);
  });

  it('gives lines out in their order, at least one, and has room again once they are removed', () => {
    const queue = new RecordQueue(200);
    for (const bytes of [50, 20, 30]) queue.add(line(bytes), 0);
    expect(queue.from(0, { lines: 10, bytes: 10 }).map((text) => text.length)).toEqual([50]);
    expect(queue.from(0, { lines: 2, bytes: 100 }).map((text) => text.length)).toEqual([50, 20]);
    expect(queue.from(1, { lines: 1, bytes: 1 }).map((text) => text.length)).toEqual([20]);
    expect(queue.from(0, { lines: 9, bytes: 70 }).map((text) => text.length)).toEqual([50, 20]);
    queue.remove(0, 2);
    expect(queue.length).toBe(1);
    expect(queue.add(line(70), 0)).toBe(true);
    expect(queue.from(0, { lines: 9, bytes: 100 }).map((text) => text.length)).toEqual([30, 70]);
  });

  it('never holds more than its bound, and has room for one more, whatever is reserved, added and removed', () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'hold', 'use', 'remove'),
      bytes: fc.nat(60),
      holder: fc.constantFrom('alice', 'bob', 'carol'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new RecordQueue(100);
        const held: { bytes: number; holder: string }[] = [];
        const inQueue = (): number =>
          queue.from(0, { lines: 1000, bytes: 1000 }).reduce((sum, text) => sum + text.length, 0);
        for (const { kind, bytes, holder } of steps) {
          if (kind === 'add') queue.add(line(bytes, holder), 0);
          else if (kind === 'hold') {
            if (queue.reserve(holder, bytes)) held.push({ bytes, holder });
          } else if (kind === 'use') {
            const reserved = held.pop();
            // A line of a reserved length is never refused.
            if (reserved !== undefined)
              expect(queue.add(line(reserved.bytes, reserved.holder), reserved.bytes)).toBe(true);
          } else queue.remove(0, bytes % 4);
          const left = 100 - inQueue() - held.reduce((sum, one) => sum + one.bytes, 0);
          // Three holders at their most leave an eighth.
          expect(left).toBeGreaterThanOrEqual(Math.floor(100 / 8));
          expect(queue.reserve('erin', Math.floor(left / 2))).toBe(true);
          queue.reserve('erin', -Math.floor(left / 2));
        }
        queue.remove(0, queue.length);
        for (const { bytes, holder } of held) queue.reserve(holder, -bytes);
        expect(queue.reserve('alice', 50)).toBe(true);
      }),
    );
  });

  it('sets the lines of one holder aside out of hundreds of thousands', () => {
    const queue = new RecordQueue(10_000_000);
    const count = 300_000;
    for (let added = 0; added < count; added += 1) {
      queue.add(line(1, 'alice'), 0);
      queue.add(line(1, 'bob'), 0);
    }
    queue.setAside('alice');
    expect([queue.length, queue.inOrder, queue.firstAside?.holder]).toEqual([2 * count, count, 'alice']);
    expect(queue.remove(0, count).every(({ holder }) => holder === 'bob')).toBe(true);
  });
});
