import type { Clock } from '../core/clock.ts';
import { isMapping } from '../core/mapping.ts';
import { type Destination, SinkError } from './destination.ts';
import type { PostText } from './webhook-destination.ts';

/** Half as many bytes as a webhook gets, since a text inside JSON can be twice as long. */
const mostOfBatch = { lines: 1_000, bytes: 500_000 };

/** INFO: an audit record says what happened, not how bad that is. */
const severityNumber = 9;

/** What a batch of log records says of its sender. */
export interface LogSource {
  readonly serviceName: string;
  readonly version: string;
  readonly clock: Clock;
}

/**
 * Records to a collector, as log records of OTLP 1.x in its JSON form. The body of each is the text of one record. One may arrive
 * twice, with the same `eventID`.
 */
export function otlpDestination(post: PostText, source: LogSource): Destination {
  return {
    name: 'otlp',
    batch: mostOfBatch,
    isLocal: false,
    open: () => Promise.resolve(),
    deliver: async (lines) => {
      const answer = await post(requestOf(lines, source));
      if (answer.outcome === 'refused') throw new SinkError(answer.cause, answer);
      return lines.length - Math.min(rejectedIn(answer.answer), lines.length);
    },
    close: () => Promise.resolve(),
  };
}

/** An `ExportLogsServiceRequest`. 64-bit numbers are strings in the JSON form. */
function requestOf(lines: readonly string[], { serviceName, version, clock }: LogSource): string {
  const observedTimeUnixNano = nanoseconds(clock.now());
  return JSON.stringify({
    resourceLogs: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: serviceName } },
            { key: 'service.version', value: { stringValue: version } },
          ],
        },
        scopeLogs: [
          {
            scope: { name: 'sts-sidecar.audit', version },
            logRecords: lines.map((line) => ({
              timeUnixNano: timeOf(line) ?? observedTimeUnixNano,
              observedTimeUnixNano,
              severityNumber,
              severityText: 'INFO',
              body: { stringValue: line.trimEnd() },
            })),
          },
        ],
      },
    ],
  });
}

// No text inside the record can look like this member: its quotes are escaped.
function timeOf(line: string): string | undefined {
  const [, time] = /"eventTime":"([^"]{1,32})"/.exec(line) ?? [];
  const epochMs = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(epochMs) ? undefined : nanoseconds(epochMs);
}

function nanoseconds(epochMs: number): string {
  return `${Math.trunc(epochMs)}000000`;
}

/** A partial success says how many records are lost for good, and not which (OTLP, "Partial Success"). */
function rejectedIn(answer: unknown): number {
  const partial = isMapping(answer) ? answer['partialSuccess'] : undefined;
  const count = isMapping(partial) ? Number(partial['rejectedLogRecords']) : 0;
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
