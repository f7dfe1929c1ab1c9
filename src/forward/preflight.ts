import type { Preflight } from '../authorize/preflight.ts';
import type { Reservation } from '../core/byte-budget.ts';
import { storePath } from './outgoing-request.ts';
import { readStoreError, rewriteStoreError } from './store-error.ts';
import { toUpstreamFault, type Upstream } from './upstream.ts';

/** The answer to a preflight. */
export interface PreflightAnswer {
  readonly status: number;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The code of the store's error document. */
  readonly errorCode: string | undefined;
}

/** What is needed to forward a preflight. */
export interface PreflightExchange {
  /** The `Host` header for the store. */
  readonly host: string;
  readonly requestId: string;
  /** Accounts for the answer. */
  readonly reservation: Reservation;
  /** Closes the connection to the store. */
  readonly signal: AbortSignal;
  /** Headers that join the request to the trace, flat. */
  readonly traceHeaders: readonly string[];
}

const maxAnswerBytes = 65_536;

/**
 * Forwards a preflight to the store, which answers it from the bucket's CORS configuration. It is unsigned, and carries only
 * the path and the headers of CORS.
 *
 * @throws UpstreamFault, BudgetExhaustedError, ClientGoneError
 */
export async function forwardPreflight(
  { request }: Preflight,
  upstream: Upstream,
  exchange: PreflightExchange,
): Promise<PreflightAnswer> {
  const headers = ['host', exchange.host, ...exchange.traceHeaders];
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
