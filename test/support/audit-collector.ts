import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuditRecord, auditRecord } from '../../src/audit/audit-record.ts';
import { startLocalServer } from './identity-provider.ts';

/** A webhook for audit records. */
export interface AuditCollector {
  readonly url: string;
  /** The records of every batch that it has accepted. */
  readonly records: AuditRecord[];
  /** Every request, with its body. */
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
  /** Answers instead of accepting, when it returns true. */
  answerWith(answer: ((response: ServerResponse) => boolean) | undefined): void;
  stop(): Promise<void>;
}

/** Starts a webhook that answers 204. */
export async function startAuditCollector(): Promise<AuditCollector> {
  const records: AuditRecord[] = [];
  const requests: AuditCollector['requests'] = [];
  let override: ((response: ServerResponse) => boolean) | undefined;
  const server = await startLocalServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      requests.push({ headers: request.headers, body });
      if (override?.(response) === true) return;
      const { Records } = JSON.parse(body) as { Records: unknown[] };
      records.push(...Records.map((record) => auditRecord.parse(record)));
      response.writeHead(204).end();
    });
  });
  return {
    url: server.url,
    records,
    requests,
    answerWith: (answer) => {
      override = answer;
    },
    stop: () => server.close(),
  };
}
