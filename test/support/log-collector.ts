import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuditRecord, auditRecord } from '../../src/audit/audit-record.ts';
import { startLocalServer } from './identity-provider.ts';

/** One log record as a collector has it. */
export interface CollectedLogRecord {
  readonly time: Date;
  readonly severityText: string;
  readonly serviceName: string | undefined;
  readonly record: AuditRecord;
}

/** A collector of log records, which speaks OTLP over HTTP with JSON. */
export interface LogCollector {
  readonly url: string;
  /** All that it has accepted, in their order. */
  readonly logRecords: CollectedLogRecord[];
  /** The headers and paths of all requests. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  readonly bodies: string[];
  /** Answers instead of accepting, when it returns true. */
  answerWith(answer: ((response: ServerResponse) => boolean) | undefined): void;
  stop(): Promise<void>;
}

interface WrittenLogs {
  readonly resourceLogs: readonly {
    readonly resource: {
      readonly attributes: readonly {
        readonly key: string;
        readonly value: { readonly stringValue: string };
      }[];
    };
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly timeUnixNano: string;
        readonly severityText: string;
        readonly body: { readonly stringValue: string };
      }[];
    }[];
  }[];
}

/** Starts a collector that accepts everything. Each body must be a valid audit record. */
export async function startLogCollector(): Promise<LogCollector> {
  const logRecords: CollectedLogRecord[] = [];
  const requests: LogCollector['requests'] = [];
  const bodies: string[] = [];
  let override: ((response: ServerResponse) => boolean) | undefined;
  const server = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      requests.push({ path: request.url ?? '', headers: request.headers });
      bodies.push(body);
      if (override?.(response) === true) return;
      logRecords.push(...recordsOf(JSON.parse(body) as WrittenLogs));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
    });
  });
  return {
    url: server.url,
    logRecords,
    requests,
    bodies,
    answerWith: (answer) => {
      override = answer;
    },
    stop: () => server.close(),
  };
}

function recordsOf({ resourceLogs }: WrittenLogs): CollectedLogRecord[] {
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap((scope) =>
      scope.logRecords.map(({ timeUnixNano, severityText, body }) => ({
        time: new Date(Number(BigInt(timeUnixNano) / 1_000_000n)),
        severityText,
        serviceName: resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue,
        record: auditRecord.parse(JSON.parse(body.stringValue)),
      })),
    ),
  );
}
