import { performance } from 'node:perf_hooks';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { SpanReports } from './tracing.ts';

type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

/** Spans that may wait for a collector: some megabytes. */
const maxWaiting = 2_048;

/** Writing one batch takes about a millisecond of the event loop. */
const batch = { maxExportBatchSize: 128, scheduledDelayMillis: 1_000, exportTimeoutMillis: 15_000 };

/** A batch that takes longer has its connections closed. The exporter's own limit is that of a silent connection, and a collector may drip. */
const longestExportMs = 30_000;

const betweenLinesMs = 60_000;

/**
 * Puts spans into the batches of the SDK, and counts what becomes of each: the SDK drops those that find its queue full, and those of
 * a failed export, without telling.
 */
export class CountedSpans implements SpanProcessor {
  readonly #reports: SpanReports;
  readonly #batches: BatchSpanProcessor;
  readonly #exporter: SpanExporter;
  readonly #hangUp: () => void;
  /** The batch under way and those behind it: the SDK begins one more after each that has failed. */
  #underWay: Promise<void> = Promise.resolve();
  #waiting = 0;
  #exporting = 0;
  #isStopped = false;
  /** Lost since the last line of the log. */
  #lost = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  /** @param hangUp closes the connections to the collector */
  constructor(exporter: SpanExporter, reports: SpanReports, hangUp: () => void) {
    this.#reports = reports;
    this.#exporter = exporter;
    this.#hangUp = hangUp;
    this.#batches = new BatchSpanProcessor({
      ...batch,
      maxQueueSize: maxWaiting,
      exporter: {
        export: (spans, done) => {
          this.#waiting -= spans.length;
          this.#exporting += spans.length;
          this.#underWay = this.#underWay.then(() => this.#export(spans)).then(done);
        },
        shutdown: () => exporter.shutdown(),
      },
    });
  }

  /** Never rejects. */
  #export(spans: ReadableSpan[]): Promise<ExportResult> {
    return new Promise((resolve) => {
      const overdue = setInterval(this.#hangUp, longestExportMs);
      this.#exporter.export(spans, (result) => {
        clearInterval(overdue);
        this.#settle(spans.length, result.error);
        resolve(result);
      });
    });
  }

  onStart(): void {
    // Spans are told apart at their end only.
  }

  onEnd(span: ReadableSpan): void {
    if (this.#isStopped || this.#waiting + this.#exporting >= maxWaiting) {
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
