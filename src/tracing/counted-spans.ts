import { performance } from 'node:perf_hooks';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { SpanReports } from './tracing.ts';

/** Spans that may wait for a collector: some megabytes. */
const maxWaiting = 2_048;

/** Writing one batch takes about a millisecond of the event loop. */
const batch = { maxExportBatchSize: 128, scheduledDelayMillis: 1_000, exportTimeoutMillis: 15_000 };

const betweenLinesMs = 60_000;

/**
 * Puts spans into the batches of the SDK, and counts what becomes of each: the SDK drops those that find its queue full, and those of
 * a failed export, without telling.
 */
export class CountedSpans implements SpanProcessor {
  readonly #reports: SpanReports;
  readonly #batches: BatchSpanProcessor;
  #waiting = 0;
  #exporting = 0;
  #isStopped = false;
  /** Lost since the last line of the log. */
  #lost = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(exporter: SpanExporter, reports: SpanReports) {
    this.#reports = reports;
    this.#batches = new BatchSpanProcessor({
      ...batch,
      maxQueueSize: maxWaiting,
      exporter: {
        export: (spans, done) => {
          this.#waiting -= spans.length;
          this.#exporting += spans.length;
          exporter.export(spans, (result) => {
            this.#settle(spans.length, result.error);
            done(result);
          });
        },
        shutdown: () => exporter.shutdown(),
      },
    });
  }

  onStart(): void {
    // Spans are told apart at their end only.
  }

  onEnd(span: ReadableSpan): void {
    if (this.#isStopped || this.#waiting >= maxWaiting) {
      this.#lose(1, 'too many spans wait for the collector');
      return;
    }
    this.#waiting += 1;
    this.#batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#batches.forceFlush();
  }

  /** Exports what waits. Resolves when all of it was accepted or lost. */
  shutdown(): Promise<void> {
    return this.#batches.shutdown();
  }

  /** Counts as lost what has not been accepted. Nothing is counted afterwards. */
  giveUp(): void {
    this.#lose(this.#waiting + this.#exporting, 'the program has ended');
    this.#isStopped = true;
    this.#say('the program has ended');
  }

  #settle(count: number, error: Error | undefined): void {
    if (this.#isStopped) return;
    this.#exporting -= count;
    if (error === undefined) this.#reports.count('delivered', count);
    else this.#lose(count, causeOf(error));
  }

  #lose(count: number, cause: string): void {
    if (this.#isStopped || count === 0) return;
    this.#reports.count('dropped', count);
    this.#lost += count;
    if (performance.now() - this.#saidAtMs >= betweenLinesMs) this.#say(cause);
  }

  #say(cause: string): void {
    if (this.#lost === 0) return;
    this.#reports.warn('spans are lost', { lost: this.#lost, cause });
    this.#lost = 0;
    this.#saidAtMs = performance.now();
  }
}

// The message can quote what the collector answered.
function causeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `status ${code}`;
  return typeof code === 'string' ? code.slice(0, 64) : 'the collector did not accept them in time';
}
