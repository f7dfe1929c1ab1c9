import { Audit, type AuditParts } from '../audit/audit.ts';
import type { Destination } from '../audit/destination.ts';
import { FileDestination } from '../audit/file-destination.ts';
import { type LogSource, otlpDestination } from '../audit/otlp-destination.ts';
import { StdoutDestination } from '../audit/stdout-destination.ts';
import { type PostText, webhookDestination } from '../audit/webhook-destination.ts';
import type { Settings } from '../config/settings.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { GuardedFetch } from '../outbound/guarded-fetch.ts';
import { OutboundFault } from '../outbound/outbound-fault.ts';
import { version } from '../version.ts';

/** What the audit trail has in common with the rest of the program. */
export interface AuditSurroundings
  extends Pick<AuditParts, 'account' | 'policyRevision' | 'clock' | 'randomness'> {
  readonly fetch: GuardedFetch;
  /** What records sent by OTLP name as their source. */
  readonly serviceName: string;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Where lines of the standard output go instead. */
  readonly logTo: { write(line: string): void } | undefined;
}

/** The audit trail; `undefined` while no sink is configured. */
export function createAudit(
  settings: Settings['audit'],
  { fetch, serviceName, metrics, log, logTo, ...parts }: AuditSurroundings,
): Audit | undefined {
  const onStuck = (cause: string): void =>
    log.warn('audit', 'the audit file cannot be rotated, and grows on', { cause });
  const source = { serviceName, version, clock: parts.clock };
  const destinations = destinationsOf(settings, { fetch, logTo, onStuck, source });
  if (destinations.length === 0) return undefined;
  const reports: AuditParts['reports'] = {
    count: (sink, outcome, count) => metrics.auditEvents(sink, outcome, count),
    warn: (message, facts) => log.warn('audit', message, facts),
  };
  const { maxQueuedBytes, failClosed } = settings;
  return new Audit({ destinations, maxQueuedBytes, failClosed, reports, ...parts });
}

function destinationsOf(
  { stdout, file, fileMaxBytes, fileCount, webhook, otlp }: Settings['audit'],
  {
    fetch,
    logTo,
    onStuck,
    source,
  }: Pick<AuditSurroundings, 'fetch' | 'logTo'> & {
    readonly onStuck: (cause: string) => void;
    readonly source: LogSource;
  },
): Destination[] {
  return [
    ...(stdout ? [stdoutOf(logTo)] : []),
    ...(file === undefined
      ? []
      : [new FileDestination({ path: file, maxBytes: fileMaxBytes, count: fileCount }, onStuck)]),
    ...(webhook === undefined ? [] : [webhookDestination(posterOf(webhook, fetch, 'audit webhook'))]),
    ...(otlp === undefined ? [] : [otlpDestination(posterOf(otlp, fetch, 'audit otlp'), source)]),
  ];
}

function stdoutOf(logTo: AuditSurroundings['logTo']): Destination {
  if (logTo === undefined) return new StdoutDestination();
  return new StdoutDestination((bytes) => {
    for (const line of Buffer.from(bytes)
      .toString()
      .split(/(?<=\n)/))
      logTo.write(line);
    return bytes.length;
  });
}

/** Statuses by which a collector says that it will never accept these records: malformed, too large, or unprocessable. */
const finalStatuses: ReadonlySet<number | undefined> = new Set([400, 413, 422]);

/** Statuses by which it says that it takes nothing at the moment. */
const busyStatuses: ReadonlySet<number | undefined> = new Set([429, 503]);

function posterOf(
  { url, headers }: NonNullable<Settings['audit']['webhook']>,
  fetch: GuardedFetch,
  pool: string,
): PostText {
  const sent = new Map(Object.entries(headers));
  return async (json) => {
    try {
      const answer = await fetch.deliver({ url, json, headers: sent, pool });
      return { outcome: 'accepted', answer };
    } catch (error) {
      if (!(error instanceof OutboundFault)) throw error;
      const { message, status } = error;
      const [isFinal, isBusy] = [finalStatuses.has(status), busyStatuses.has(status)];
      return { outcome: 'refused', cause: message, isFinal, isBusy };
    }
  };
}
