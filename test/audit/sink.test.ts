import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Complaints } from '../../src/audit/complaints.ts';
import { type Destination, SinkError } from '../../src/audit/destination.ts';
import { Sink } from '../../src/audit/sink.ts';

// Only time is replaced: back-offs take up to half a minute.
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface World {
  readonly sink: Sink;
  /** Every attempt, with the lines that it was to deliver. */
  readonly attempts: string[][];
  readonly counts: Record<'delivered' | 'dropped', number>;
  readonly logged: Readonly<Record<string, unknown>>[];
  /** What attempts do; they succeed when absent. */
  fail: ((lines: readonly string[]) => void) | undefined;
  /** How many lines of each accepted batch are refused for good. */
  refused: number;
}

function world(isLocal: boolean, maxQueuedBytes = 1_000): World {
  const attempts: string[][] = [];
  const counts = { delivered: 0, dropped: 0 };
  const logged: Readonly<Record<string, unknown>>[] = [];
  const destination: Destination = {
    name: isLocal ? 'file' : 'webhook',
    batch: { lines: 4, bytes: 1_000 },
    isLocal,
    open: () => Promise.resolve(),
    deliver: async (lines) => {
      attempts.push([...lines]);
      made.fail?.(lines);
      return lines.length - made.refused;
    },
    close: () => Promise.resolve(),
  };
  const reporter = new Complaints({
    count: (_, outcome, count) => {
      counts[outcome] += count;
    },
    warn: (message, facts) => void logged.push({ message, ...facts }),
  });
  const sink = new Sink({ destination, maxQueuedBytes, reporter, jitter: () => 1 });
  const made: World = { sink, attempts, counts, logged, fail: undefined, refused: 0 };
  return made;
}

const add = (sink: Sink, text: string, holder = 'alice'): void =>
  sink.add({ text, bytes: text.length, holder }, 0);
const always = (error: Error) => (): never => {
  throw error;
};

describe('a sink', () => {
  it('delivers the lines of one turn together, in batches', async () => {
    const { sink, attempts, counts } = world(true);
    for (const text of 'abcdef') add(sink, text);
    expect(attempts).toEqual([]);
    await vi.runAllTimersAsync();
    expect(attempts).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f'],
    ]);
    expect(counts).toEqual({ delivered: 6, dropped: 0 });
  });

  it('counts as lost what a receipt refuses, and does not deliver it again', async () => {
    const made = world(false);
    made.refused = 2;
    for (const text of 'abc') add(made.sink, text);
    await vi.runAllTimersAsync();
    expect(made.attempts).toEqual([['a', 'b', 'c']]);
    expect(made.counts).toEqual({ delivered: 1, dropped: 2 });
    expect(made.logged).toHaveLength(1);
  });

  it('delivers the same lines again, ever more seldom, until they are accepted', async () => {
    const made = world(false);
    made.fail = always(new SinkError('answered with status 500'));
    add(made.sink, 'a');
    const times: number[] = [];
    const start = Date.now();
    for (let count = 1; count <= 10; count += 1) {
      while (made.attempts.length < count) await vi.advanceTimersByTimeAsync(10);
      times.push(Date.now() - start);
    }
    const pauses = times.slice(1).map((time, index) => Math.round((time - (times[index] ?? 0)) / 250));
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120]);
    made.fail = undefined;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(made.counts).toEqual({ delivered: 1, dropped: 0 });
    expect(new Set(made.attempts.map((lines) => lines.join()))).toEqual(new Set(['a']));
  });

  it('counts what finds no room, and says so at most once a second, and whose it is', async () => {
    const made = world(false, 100);
    made.fail = always(new SinkError('did not answer in time'));
    const message = 'audit records are lost';
    for (let index = 0; index < 80; index += 1) add(made.sink, 'x');
    expect(made.counts.dropped).toBe(30);
    for (let index = 0; index < 36; index += 1) add(made.sink, 'x', 'bob');
    expect(made.counts.dropped).toBe(41);
    const cause = 'its holder has no room left in the queue';
    expect(made.logged).toEqual([{ message, sink: 'webhook', lost: 1, cause, holder: 'alice' }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(made.logged.slice(1)).toEqual([
      { message, sink: 'webhook', lost: 40, cause: 'did not answer in time', holder: 'alice' },
    ]);
    for (let index = 0; index < 3; index += 1) add(made.sink, 'x', 'bob');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(made.logged.at(-1)).toMatchObject({ lost: 3, holder: 'bob' });
  });

  it('names no holder when a sink fails', async () => {
    const made = world(true);
    made.fail = always(new SinkError('ENOSPC'));
    add(made.sink, 'a');
    await vi.advanceTimersByTimeAsync(1);
    expect(made.logged).toEqual([
      { message: 'audit records cannot be delivered yet', sink: 'file', lost: 0, cause: 'ENOSPC' },
    ]);
  });

  it('has room for others, while one holder has none', () => {
    const made = world(false, 100);
    for (let index = 0; index < 200; index += 1) add(made.sink, 'x', 'bob');
    expect(made.counts.dropped).toBe(150);
    expect(made.sink.reserve('bob', 1)).toBe(false);
    expect(made.sink.reserve('alice', 10)).toBe(true);
    for (let index = 0; index < 15; index += 1) add(made.sink, 'x');
    expect(made.counts.dropped).toBe(150);
  });

  it('loses the one record that is refused for ever, and no other', async () => {
    const made = world(false);
    made.fail = (lines) => {
      if (lines.includes('c')) throw new SinkError('answered with status 422', { isFinal: true });
    };
    for (const text of 'abcdef') add(made.sink, text);
    await vi.runAllTimersAsync();
    expect(made.counts).toEqual({ delivered: 5, dropped: 1 });
  });

  it('finds the longest batch that is accepted, without beginning anew after each', async () => {
    const made = world(false);
    made.fail = (lines) => {
      if (lines.length > 1) throw new SinkError('answered with status 413', { isFinal: true });
    };
    for (const text of 'abcdefgh') add(made.sink, text);
    await vi.runAllTimersAsync();
    expect(made.counts).toEqual({ delivered: 8, dropped: 0 });
    // Of 4, then 2 and 1 by turns; the last line is alone.
    expect(made.attempts.length).toBe(1 + 7 * 2 + 1);
  });

  it('has no room for a reservation while its disk is full, and has it again afterwards', async () => {
    const made = world(true);
    expect(made.sink.reserve('alice', 10)).toBe(true);
    made.fail = always(new SinkError('ENOSPC'));
    add(made.sink, 'a');
    await vi.advanceTimersByTimeAsync(1);
    expect(made.sink.reserve('alice', 10)).toBe(false);
    expect(made.sink.reserve('alice', -10)).toBe(true);
    made.fail = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(made.sink.reserve('alice', 10)).toBe(true);
  });

  it('has room while a webhook fails, until its queue is full', async () => {
    const made = world(false, 100);
    made.fail = always(new SinkError('500'));
    add(made.sink, 'a');
    await vi.advanceTimersByTimeAsync(1);
    expect(made.sink.reserve('alice', 49)).toBe(true);
    expect(made.sink.reserve('alice', 1)).toBe(false);
  });

  it('delivers what is left when it stops, at once', async () => {
    const made = world(false);
    made.fail = always(new SinkError('500'));
    add(made.sink, 'a');
    await vi.advanceTimersByTimeAsync(5_000);
    made.fail = undefined;
    const stopped = made.sink.stop(1_000);
    await vi.advanceTimersByTimeAsync(10);
    await stopped;
    expect(made.counts).toEqual({ delivered: 1, dropped: 0 });
  });

  it('stops at its deadline, and counts what is left', async () => {
    const made = world(false);
    made.fail = always(new SinkError('500'));
    for (const text of 'abc') add(made.sink, text);
    const stopped = made.sink.stop(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await stopped;
    expect(made.counts).toEqual({ delivered: 0, dropped: 3 });
    expect(made.attempts.length).toBeLessThan(8);
  });
});

it('counts once what is accepted after the deadline, while the sink closes', async () => {
  const counts = { delivered: 0, dropped: 0 };
  const after = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));
  const sink = new Sink({
    destination: {
      name: 'webhook',
      batch: { lines: 4, bytes: 1_000 },
      isLocal: false,
      open: () => Promise.resolve(),
      deliver: (lines) => after(1_500).then(() => lines.length),
      close: () => after(1_000),
    },
    maxQueuedBytes: 1_000,
    reporter: new Complaints({
      count: (_, outcome, count) => {
        counts[outcome] += count;
      },
      warn: () => undefined,
    }),
    jitter: () => 1,
  });
  add(sink, 'a');
  const stopped = sink.stop(1_000);
  await vi.advanceTimersByTimeAsync(3_000);
  await stopped;
  expect(counts).toEqual({ delivered: 1, dropped: 0 });
});

describe('a sink whose collector fails for one record', () => {
  const failFor =
    (...marked: string[]) =>
    (lines: readonly string[]): void => {
      if (lines.some((line) => marked.includes(line))) throw new SinkError('answered with status 500');
    };
  const accepted = ({ attempts }: World, marked: readonly string[]): string[] =>
    attempts.filter((lines) => !lines.some((line) => marked.includes(line))).flat();

  it.each([0, 1, 2, 3, 4, 7, 13, 19])('gives that one up, wherever it is: %d', async (place) => {
    const made = world(false);
    const texts = Array.from({ length: 20 }, (_, index) => `r${index}`);
    const marked = `r${place}`;
    made.fail = failFor(marked);
    for (const text of texts) add(made.sink, text, text === marked ? 'mallory' : 'alice');
    // What a busy program adds: the last record is not alone.
    const adding = setInterval(() => add(made.sink, 'later'), 1_000);
    await vi.advanceTimersByTimeAsync(60_000);
    clearInterval(adding);
    expect(made.counts.dropped).toBe(1);
    expect(made.counts.delivered).toBeGreaterThan(70);
    const delivered = accepted(made, [marked]);
    expect(new Set(delivered).size).toBe(delivered.filter((text) => text !== 'later').length + 1);
    // In their order, none missing.
    expect(delivered.filter((text) => text !== 'later')).toEqual(texts.filter((text) => text !== marked));
    const lost = made.logged.filter(({ message }) => message === 'audit records are lost');
    expect(lost).toEqual([
      expect.objectContaining({
        lost: 1,
        holder: 'mallory',
        cause: 'it fails again and again for this record, and takes others: answered with status 500',
      }),
    ]);
  });

  it('gives up several beside each other', async () => {
    const made = world(false);
    const marked = ['r3', 'r4', 'r5', 'r6', 'r7', 'r8'];
    made.fail = failFor(...marked);
    for (let index = 0; index < 40; index += 1) add(made.sink, `r${index}`);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(made.counts).toEqual({ delivered: 34, dropped: 6 });
  });

  it('finds the next one sooner', async () => {
    const made = world(false, 100_000);
    made.fail = failFor('bad');
    for (let index = 0; index < 100; index += 1) add(made.sink, index % 10 === 5 ? 'bad' : 'good');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.counts).toEqual({ delivered: 90, dropped: 10 });
    const attempts = made.attempts.length;
    expect(attempts).toBeLessThan(300);
  });

  it('loses nothing in an outage, however long, and however it ends', async () => {
    for (let end = 1; end <= 40; end += 1) {
      const made = world(false);
      for (let index = 0; index < 10; index += 1) add(made.sink, `r${index}`);
      made.fail = () => {
        if (made.attempts.length < end) throw new SinkError('did not answer in time');
      };
      await vi.advanceTimersByTimeAsync(40 * 30_000);
      expect(made.counts).toEqual({ delivered: 10, dropped: 0 });
      expect(made.attempts.length).toBeLessThan(end + 10);
    }
  });

  it('waits where the one record is all that waits', async () => {
    const made = world(false);
    made.fail = failFor('bad');
    add(made.sink, 'bad');
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(made.counts).toEqual({ delivered: 0, dropped: 0 });
    made.fail = undefined;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(made.counts).toEqual({ delivered: 1, dropped: 0 });
  });

  it('gives up nothing of a disk, whose failures pass', async () => {
    const made = world(true);
    made.fail = failFor('bad');
    for (const text of ['bad', 'a', 'b', 'c', 'd']) add(made.sink, text);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.counts).toEqual({ delivered: 0, dropped: 0 });
    expect(new Set(made.attempts.map((lines) => lines.join()))).toEqual(new Set(['bad,a,b,c']));
  });

  it('loses no record to a collector that fails every other time', async () => {
    const made = world(false, 100_000);
    made.fail = () => {
      if (made.attempts.length % 2 === 1) throw new SinkError('answered with status 503');
    };
    for (let index = 0; index < 100; index += 1) add(made.sink, `r${index}`);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.counts).toEqual({ delivered: 100, dropped: 0 });
  });

  it('takes what is refused for ever while it looks', async () => {
    const made = world(false);
    made.fail = (lines) => {
      failFor('bad')(lines);
      if (lines.includes('c')) throw new SinkError('answered with status 422', { isFinal: true });
    };
    for (const text of ['bad', 'c', 'c', 'd', 'e', 'f', 'g', 'c', 'h']) add(made.sink, text);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.counts).toEqual({ delivered: 5, dropped: 4 });
  });

  it('doubts no record while the collector limits its rate', async () => {
    const made = world(false, 100_000);
    let nextAt = 0;
    made.fail = () => {
      if (Date.now() < nextAt) throw new SinkError('answered with status 429', { isBusy: true });
      nextAt = Date.now() + 5_000;
    };
    const adding = setInterval(() => add(made.sink, 'r'), 2_000);
    await vi.advanceTimersByTimeAsync(600_000);
    clearInterval(adding);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.counts.dropped).toBe(0);
    expect(made.counts.delivered).toBeGreaterThan(290);
  });

  it('stops at its deadline while it looks', async () => {
    const made = world(false);
    made.fail = failFor('bad');
    for (const text of ['bad', 'bad', 'bad', 'a']) add(made.sink, text);
    await vi.advanceTimersByTimeAsync(9_000);
    const stopped = made.sink.stop(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await stopped;
    expect(made.counts.delivered + made.counts.dropped).toBe(4);
  });
});
