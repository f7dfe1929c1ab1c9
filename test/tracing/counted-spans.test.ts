import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CountedSpans } from '../../src/tracing/counted-spans.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Done = Parameters<SpanExporter['export']>[1];

/** Spans that are exported as the test says, and what was asked of the exporter. */
function countedSpans() {
  const asked: { readonly spans: ReadableSpan[]; readonly done: Done }[] = [];
  const counted = { delivered: 0, dropped: 0 };
  const hangUp = vi.fn();
  const exporter: SpanExporter = {
    export: (spans, done) => void asked.push({ spans, done }),
    shutdown: () => Promise.resolve(),
  };
  const reports = {
    count: (outcome: 'delivered' | 'dropped', count: number) => {
      counted[outcome] += count;
    },
    warn: () => undefined,
  };
  const processor = new CountedSpans(exporter, reports, hangUp);
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
  const end = (count: number): void => {
    for (let index = 0; index < count; index += 1) tracer.startSpan('request').end();
  };
  return { asked, counted, hangUp, end };
}

it('one batch is under way, also after exports that have failed', async () => {
  const { asked, counted, end } = countedSpans();
  for (let round = 1; round <= 6; round += 1) {
    end(300);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveLength(round);
    asked.at(-1)?.done({ code: 1, error: new Error('refused') });
  }
  expect(counted.dropped).toBe(asked.reduce((sum, { spans }) => sum + spans.length, 0));
});

it('no more spans wait than may, those under way included', async () => {
  const { asked, counted, end } = countedSpans();
  for (let round = 0; round < 30; round += 1) {
    end(200);
    await vi.advanceTimersByTimeAsync(20_000);
  }
  expect(asked).toHaveLength(1);
  expect(counted).toEqual({ delivered: 0, dropped: 6_000 - 2_048 });
});

it('the connections of a batch that takes too long are closed', async () => {
  const { asked, hangUp, end } = countedSpans();
  end(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect([asked.length, hangUp.mock.calls.length]).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(hangUp).toHaveBeenCalledTimes(1);
  asked[0]?.done({ code: 0 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(hangUp).toHaveBeenCalledTimes(1);
});
