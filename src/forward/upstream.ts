import { buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { BudgetExhausted, type Reservation } from '../core/byte-budget.ts';
import { UpstreamFault } from './faults.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { OutgoingBody } from './object-body.ts';
import type { OutgoingHead } from './outgoing-request.ts';
import { type AnswerReader, type PausedRequest, StoreConnection } from './store-connection.ts';

/** Limits of the connection to the store, in seconds. */
export interface UpstreamTimeouts {
  readonly connectSeconds: number;
  readonly headersSeconds: number;
  readonly idleSeconds: number;
}

// Node's own limit on response heads is 16 KiB; user metadata and ACL headers can need more.
const maxResponseHeaderBytes = 65_536;

/** A whole answer of the store. */
export interface SmallAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** The pool of connections to one store. Never follows redirects, never decompresses. */
export class Upstream {
  readonly #pool: Pool;

  constructor(origin: string, timeouts: UpstreamTimeouts) {
    const connector = buildConnector({ timeout: timeouts.connectSeconds * 1000 });
    const options = {
      headersTimeout: timeouts.headersSeconds * 1000,
      bodyTimeout: timeouts.idleSeconds * 1000,
      maxHeaderSize: maxResponseHeaderBytes,
      pipelining: 1,
    };
    this.#pool = new Pool(origin, { factory: (target) => new StoreConnection(target, options, connector) });
  }

  /** Starts one request; everything that happens to it is told to `reader`. */
  dispatch(head: OutgoingHead, body: OutgoingBody, reader: AnswerReader): void {
    const request: PausedRequest = {
      method: toMethod(head.method),
      path: head.target,
      headers: head.headers,
      body: body.content,
      reader,
    };
    this.#pool.dispatch(request, reader);
  }

  /**
   * Makes one request without a body and reads the whole answer, which `reservation` pays for. Rejects when it is longer
   * than `maxBytes`, and with {@link BudgetExhausted}.
   */
  async fetchSmall(
    { method, target, headers }: OutgoingHead,
    maxBytes: number,
    reservation: Reservation,
  ): Promise<SmallAnswer> {
    const answer = await this.#pool.request({ method: toMethod(method), path: target, headers });
    const kept = new GrowingBuffer(reservation, maxBytes);
    for await (const piece of answer.body) {
      // Leaving the loop destroys the body.
      if (Buffer.isBuffer(piece) && !kept.push(piece))
        throw new UpstreamFault('protocol', 'the answer is too large');
    }
    return { status: answer.statusCode, headers: listHeaders(answer.headers), body: kept.bytes() };
  }

  /** Waits for running requests, then closes every connection. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Closes every connection at once. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}

function listHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value = []]) =>
    (typeof value === 'string' ? [value] : value).map((item): [string, string] => [name.toLowerCase(), item]),
  );
}

function toMethod(method: string): Dispatcher.HttpMethod {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'POST':
    case 'DELETE':
    case 'OPTIONS':
      return method;
    default:
      throw new TypeError('no operation has this method');
  }
}

/** Names what undici or the socket reported; a {@link BudgetExhausted} stays one. */
export function toUpstreamFault(error: Error): UpstreamFault | BudgetExhausted {
  if (error instanceof UpstreamFault || error instanceof BudgetExhausted) return error;
  if (error instanceof errors.ConnectTimeoutError) {
    return new UpstreamFault('connect_timeout', 'the store did not accept the connection in time', error);
  }
  if (error instanceof errors.HeadersTimeoutError) {
    return new UpstreamFault('headers_timeout', 'the store did not answer in time', error);
  }
  if (error instanceof errors.BodyTimeoutError) {
    return new UpstreamFault('body_timeout', 'the store stopped sending', error);
  }
  const code = 'code' in error ? String(error.code) : '';
  if (connectCodes.has(code))
    return new UpstreamFault('connect', `the store cannot be reached (${code})`, error);
  if (resetCodes.has(code))
    return new UpstreamFault('reset', `the store closed the connection (${code})`, error);
  return new UpstreamFault('protocol', 'the store did not speak HTTP as expected', error);
}

const connectCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
]);
const resetCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ETIMEDOUT']);
