import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { RequestRecord } from '../core/request-record.ts';
import { type KeyVisibility, shownKey } from '../core/shown-key.ts';
import { LinesOfATurn } from './lines-of-a-turn.ts';

/** What is logged, from the configuration. */
export interface LogSettings {
  readonly level: 'debug' | 'error' | 'fatal' | 'info' | 'silent' | 'trace' | 'warn';
  /** One line per request. */
  readonly requests: boolean;
  readonly objectKeys: KeyVisibility;
}

const maxUserAgent = 256;

/** The sidecar's log: JSON lines. Nothing secret reaches it, because it is given only the fields named here. */
export class Log {
  readonly #logger: Logger;
  readonly #settings: LogSettings;

  constructor(settings: LogSettings, destination?: DestinationStream) {
    this.#settings = settings;
    const options = {
      level: settings.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
    };
    this.#logger = pino(options, destination ?? standardOutput());
  }

  info(component: string, message: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.info({ component, ...facts }, message);
  }

  warn(component: string, message: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.warn({ component, ...facts }, message);
  }

  /** A fault of the server, with its stack. `cause` must not hold request data. */
  error(component: string, message: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#logger.error({ component, ...facts }, message);
  }

  /** Writes one request; server faults are errors, everything else is information. */
  request(record: RequestRecord): void {
    const { decision } = record;
    const isFault = record.status >= 500 || decision?.decision === 'error';
    if (!this.#settings.requests && !isFault) return;
    const level = isFault ? 'error' : 'info';
    this.#logger[level](
      {
        component: record.service,
        listener: record.listener,
        request_id: record.requestId,
        trace_id: record.traceId,
        operation: record.operation,
        bucket: record.bucket,
        key: shownKey(record.key, this.#settings.objectKeys),
        principal_arn: record.principalArn,
        caller: record.caller,
        access_key_id: record.accessKeyId,
        session_id: record.sessionId,
        issued_session_id: record.issuedSessionId,
        issued_access_key_id: record.issuedAccessKeyId,
        expiration: record.expiration,
        scoped_session_description: record.scopedSessionDescription,
        role_arn: record.roleArn,
        session_name: record.sessionName,
        subject: record.subject,
        audience: record.audience,
        source_identity: record.sourceIdentity,
        identity_provider: record.identityProvider,
        source_ip: record.sourceIp,
        user_agent: record.userAgent?.slice(0, maxUserAgent),
        status: record.status,
        error_code: record.errorCode,
        error_detail: record.errorDetail,
        decision: decision?.decision,
        policy_type: decision?.policyType,
        matched_policy: decision?.matchedPolicy,
        matched_sid: decision?.matchedSid,
        near_miss: this.#nearMiss(decision),
        bytes_in: record.bytesIn,
        bytes_out: record.bytesOut,
        duration_ms: round(record.durationMs),
        upstream_ms: record.upstreamMs === undefined ? undefined : round(record.upstreamMs),
        upstream_request_id: record.upstreamRequestId,
        upstream_status: record.upstreamStatus,
        aborted: record.isAborted ? true : undefined,
      },
      'request',
    );
  }

  // What comes from the request can be a key, or the beginning of one, and so can what a policy that came with the session wants.
  #nearMiss(decision: RequestRecord['decision']): string | undefined {
    const { nearMiss, policyType = '' } = decision ?? {};
    if (nearMiss === undefined) return undefined;
    const { before, requested, after } = nearMiss;
    if (this.#settings.objectKeys === 'full') return before + requested + after;
    return ofSession.has(policyType) ? before : before + after;
  }
}

/** Kinds of policies that callers write. */
const ofSession: ReadonlySet<string> = new Set(['session', 'scopeDown']);

function standardOutput(): DestinationStream {
  const lines = new LinesOfATurn(pino.destination({ fd: 1, sync: true }));
  // An uncaught exception gets here too.
  process.once('exit', () => lines.flush());
  return lines;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
