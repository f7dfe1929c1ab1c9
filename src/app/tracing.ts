import type { Settings } from '../config/settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { version } from '../version.ts';

/** Tracing, which takes memory only where it is on. */
export interface OptionalTracing {
  /** `undefined` while no spans are made. */
  readonly current: () => Tracing | undefined;
  /** Loads OpenTelemetry, if the configuration has an endpoint for spans. */
  readonly open: () => Promise<void>;
  /** Exports what is left, for that long at most. */
  readonly stop: (deadlineMs: number) => Promise<void>;
}

/** Creates it; nothing is loaded before `open`. */
export function createTracing(
  { tracing: settings, backend, log: { objectKeys } }: Settings,
  { clock, metrics, log }: { readonly clock: Clock; readonly metrics: Metrics; readonly log: Log },
): OptionalTracing {
  let current: Tracing | undefined;
  return {
    current: () => current,
    open: async () => {
      if (settings === undefined) return;
      const { startTracing } = await import('../tracing/open-telemetry.ts');
      current = startTracing({
        settings,
        version,
        store: backend.endpoint,
        objectKeys,
        clock,
        reports: {
          count: (outcome, count) => metrics.traceSpans(outcome, count),
          warn: (message, facts) => log.warn('tracing', message, facts),
        },
      });
    },
    stop: async (deadlineMs) => {
      await current?.stop(deadlineMs);
      current = undefined;
    },
  };
}
