import type { Preflight } from '../authorize/preflight.ts';
import type { Reservation } from '../core/byte-budget.ts';
import { storePath } from './outgoing-request.ts';
import { readStoreError, rewriteStoreError } from './store-error.ts';
import { toUpstreamFault, type Upstream } from './upstream.ts';

/** What a browser is told. */
export interface PreflightAnswer {
  readonly status: number;
  /** Flat name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The code of the store's error document. */
  readonly errorCode: string | undefined;
}

/** What a preflight is forwarded with. */
export interface PreflightExchange {
  /** The store's own, as it is sent. */
  readonly host: string;
  readonly requestId: string;
  /** Pays for the answer. */
  readonly reservation: Reservation;
  /** Aborted when the answer is not waited for any more: the store's connection is closed then. */
  readonly signal: AbortSignal;
}

const maxAnswerBytes = 65_536;

/**
 * Asks the store what its CORS configuration of the bucket says, unsigned and with nothing of the request but its
 * address and what CORS is about. Rejects with {@link UpstreamFault}.
 */
export async function forwardPreflight(
  { request }: Preflight,
  upstream: Upstream,
  exchange: PreflightExchange,
): Promise<PreflightAnswer> {
  const headers = ['host', exchange.host];
  for (const [name, value] of request.headers) headers.push(name, value);
  const head = { method: 'OPTIONS', target: storePath(request.bucket, request.key), headers };
  const answer = await upstream
    .fetchSmall(head, maxAnswerBytes, exchange.reservation, exchange.signal)
    .catch((error: unknown) => {
      throw toUpstreamFault(error);
    });
  const error = readStoreError(answer.body);
  return {
    status: answer.status,
    headers: shownHeaders(answer.headers),
    body: error === undefined ? Buffer.alloc(0) : rewriteStoreError(error, exchange.requestId),
    errorCode: error?.code,
  };
}

function shownHeaders(headers: readonly string[]): string[] {
  const shown: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name === 'vary' || name.startsWith('access-control-')) shown.push(name, headers[index + 1] ?? '');
  }
  return shown;
}
