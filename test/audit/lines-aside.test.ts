import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Complaints } from '../../src/audit/complaints.ts';
import { SinkError } from '../../src/audit/destination.ts';
import { Sink } from '../../src/audit/sink.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A sink before a webhook that takes 20 ms, and fails for every batch with a record that begins with `!`. */
function world() {
  const accepted: string[] = [];
  const counts = { delivered: 0, dropped: 0 };
  const state = { attempts: 0, isDown: false };
  const sink = new Sink({
    destination: {
      name: 'webhook',
      batch: { lines: 100, bytes: 100_000 },
      isLocal: false,
      open: () => Promise.resolve(),
      deliver: async (lines) => {
        state.attempts += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (state.isDown || lines.some((line) => line.startsWith('!')))
          throw new SinkError('answered with status 403');
        accepted.push(...lines);
        return lines.length;
      },
      close: () => Promise.resolve(),
    },
    maxQueuedBytes: 10_000,
    reporter: new Complaints({
      count: (_, outcome, count) => {
        counts[outcome] += count;
      },
      warn: () => undefined,
    }),
    jitter: () => 1,
  });
  const add = (text: string, holder: string): void => sink.add({ text, bytes: text.length, holder }, 0);
  return { accepted, counts, state, add };
}

/** The first record of strangers is given up, while others come. */
async function untilLost({ counts, add }: ReturnType<typeof world>): Promise<void> {
  add('!', 'strangers');
  for (let round = 0; counts.dropped === 0 && round < 300; round += 1) {
    add('before', 'alice');
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(counts.dropped).toBe(1);
}

it('a holder with one record after another that fails keeps back nobody else', async () => {
  const made = world();
  await untilLost(made);
  await vi.advanceTimersByTimeAsync(1_000);
  const { accepted, state, counts, add } = made;
  const [delivered, attempts] = [accepted.length, state.attempts];
  for (let round = 0; round < 100; round += 1) {
    for (let index = 0; index < 5; index += 1) add('!', 'strangers');
    for (let index = 0; index < 5; index += 1) add('fine', 'alice');
    await vi.advanceTimersByTimeAsync(100);
    expect(accepted.length - delivered).toBeGreaterThanOrEqual(5 * round);
  }
  expect(state.attempts - attempts).toBeLessThan(350);
  // One for each batch of others.
  expect(counts.dropped).toBeGreaterThan(100);
});

it('what waits aside is delivered, and lost only where others have just been accepted', async () => {
  const made = world();
  await untilLost(made);
  const { accepted, state, counts, add } = made;
  await vi.advanceTimersByTimeAsync(1_000);
  state.isDown = true;
  for (let index = 0; index < 10; index += 1) add(`stranger ${index}`, 'strangers');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(counts.dropped).toBe(1);
  state.isDown = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(accepted.filter((line) => line.startsWith('stranger'))).toHaveLength(10);
  expect(counts.dropped).toBe(1);
});

it('a pause for what waits aside ends when others come', async () => {
  const made = world();
  await untilLost(made);
  const { accepted, state, add } = made;
  await vi.advanceTimersByTimeAsync(1_000);
  state.isDown = true;
  add('stranger', 'strangers');
  await vi.advanceTimersByTimeAsync(120_000);
  state.isDown = false;
  const before = accepted.length;
  add('fine', 'alice');
  await vi.advanceTimersByTimeAsync(100);
  expect(accepted.slice(before)).toEqual(['fine', 'stranger']);
});

it('is over after some minutes without a loss', async () => {
  const made = world();
  await untilLost(made);
  const { accepted, add } = made;
  await vi.advanceTimersByTimeAsync(301_000);
  const before = accepted.length;
  add('stranger', 'strangers');
  add('fine', 'alice');
  await vi.advanceTimersByTimeAsync(100);
  expect(accepted.slice(before)).toEqual(['stranger', 'fine']);
});
