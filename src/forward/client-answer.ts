import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Reservation } from '../core/byte-budget.ts';
import { endEarly, isBodyUnread } from '../core/lingering.ts';
import { resetConnection } from '../core/reset-connection.ts';
import type { AnswerHead } from '../http-client/answer-head.ts';
import type { Relayed } from './relayed.ts';
import { responseHeaders, type StoreHeaders, storeHeader } from './response-headers.ts';

/** What the client gets instead of the store's success. */
export interface SuccessAnswer {
  readonly status: number;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** The client's side of a forwarded request. */
export interface ClientSide {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Headers of every answer, flat: name, value, name, value. The first is the request id. */
  readonly ownHeaders: readonly string[];
  /** The URL that the client requested, without its query. */
  readonly url: string;
  /** Headers that join requests to the store to the trace, flat; they are not signed. */
  readonly traceHeaders: readonly string[];
  /** Accounts for everything that this exchange buffers whole; the caller releases it. */
  readonly reservation: Reservation;
  /** Present for a client that is told of a success in its own way; given the ETag in the store's answer. */
  readonly success?: ((etag: string) => SuccessAnswer) | undefined;
  /** Keeps the place of a request that goes on at the store although it has been answered. */
  keepPlace(until: Promise<void>): void;
}

/** The outcome of a request at the store. */
export interface RelayFacts {
  readonly status: number;
  readonly bytesOut: number;
  /** Milliseconds until the head of the store's answer arrived. */
  readonly firstByteMs: number | undefined;
  readonly storeRequestId: string | undefined;
  /** The code of the store's error document. */
  readonly errorCode: string | undefined;
}

/** Headers of the store that describe the exact bytes of its body. */
export const bodyHeaders: ReadonlySet<string> = new Set(['content-length', 'content-md5', 'etag']);

/** Headers of the store that describe its body in any way. */
export const representationHeaders: ReadonlySet<string> = new Set([
  ...bodyHeaders,
  'content-encoding',
  'content-language',
  'content-type',
]);

/** The same, without what tells of the new object. */
const ofStoresBody: ReadonlySet<string> = new Set(
  ['location', ...representationHeaders].filter((name) => name !== 'etag'),
);

/** The answer to the client, with the status and headers of the store's answer. */
export class ClientAnswer {
  readonly #authorized: Relayed;
  readonly #client: ClientSide;
  readonly #startedAt = performance.now();
  #firstByteMs: number | undefined;
  #headers: StoreHeaders = [];
  #bytesOut = 0;
  /** The store's status; replaced when a 200 turns out to be an error. */
  status = 0;

  constructor(authorized: Relayed, client: ClientSide) {
    this.#authorized = authorized;
    this.#client = client;
  }

  /** Takes the head of the store's answer. Sends nothing. */
  takeHead({ status, headers }: AnswerHead): void {
    this.#firstByteMs = performance.now() - this.#startedAt;
    this.status = status;
    this.#headers = headers;
  }

  /** True once the client has been sent a status. */
  get hasStarted(): boolean {
    return this.#client.response.headersSent;
  }

  get requestId(): string {
    return this.#client.ownHeaders[1] ?? '';
  }

  /** True for a client that is told of a success in its own way. */
  get hasOwnSuccess(): boolean {
    return this.#client.success !== undefined;
  }

  /** Milliseconds since the head of the store's answer arrived. */
  get waitedMs(): number {
    return performance.now() - this.#startedAt - (this.#firstByteMs ?? 0);
  }

  /** The store's `Content-Length`; `undefined` without one. */
  get announcedLength(): number | undefined {
    const length = storeHeader(this.#headers, 'content-length');
    return length === undefined ? undefined : Number(length);
  }

  /** Sends the head: the status, the sidecar's own headers, and the store's except those `omitted`. */
  writeHead(omitted?: ReadonlySet<string>, further: readonly string[] = []): void {
    const { message, response, ownHeaders } = this.#client;
    const kept = responseHeaders(this.#headers, this.#authorized, omitted);
    // The store has answered before it had the whole body. The rest of the body could be taken for another request.
    const closing = isBodyUnread(message) ? ['connection', 'close'] : [];
    if (closing.length > 0) response.shouldKeepAlive = false;
    response.writeHead(this.status, [...ownHeaders, ...kept, ...further, ...closing]);
    // Node ends the connection of a slow reader in order, which would make an answer without a length look complete.
    if (endsWithConnection(message)) response.on('timeout', () => cutShort(message, response));
  }

  /** Sends the head and the store's body at once. */
  writeWhole(body: Buffer): void {
    this.writeHead(bodyHeaders, ['content-length', String(body.length)]);
    this.write(body);
  }

  /** Sends what the client gets instead of a success of the store; false, and nothing sent, when it gets that itself. */
  writeSuccess(): boolean {
    const { success } = this.#client;
    if (success === undefined) return false;
    const { status, headers, body } = success(storeHeader(this.#headers, 'etag') ?? '');
    this.status = status;
    const length = status === 204 ? [] : ['content-length', String(body.length)];
    this.writeHead(ofStoresBody, [...headers, ...length]);
    this.write(body);
    return true;
  }

  /** Sends the head and an XML document that replaces the store's body; it may be empty. */
  writeDocument(document: Buffer): void {
    const type = document.length === 0 ? [] : ['content-type', 'application/xml'];
    this.writeHead(representationHeaders, [...type, 'content-length', String(document.length)]);
    this.write(document);
  }

  /** Sends the next bytes of the body. False asks to wait until the response drains. */
  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    this.#bytesOut += chunk.length;
    return this.#client.response.write(chunk);
  }

  /** Ends the connection so that the client can tell that the answer is incomplete. */
  cutShort(): void {
    cutShort(this.#client.message, this.#client.response);
  }

  /** Ends the answer. Calls `onFinished` when everything has been sent. */
  end(errorCode: string | undefined, onFinished: (facts: RelayFacts) => void): void {
    const facts: RelayFacts = {
      status: this.status,
      bytesOut: this.#bytesOut,
      firstByteMs: this.#firstByteMs,
      storeRequestId: storeHeader(this.#headers, 'x-amz-request-id'),
      errorCode,
    };
    const { message, response } = this.#client;
    if (!isBodyUnread(message)) {
      response.end(() => onFinished(facts));
      return;
    }
    // The end comes later, and a head without a body would wait for it.
    response.flushHeaders();
    endEarly(message, response);
    onFinished(facts);
  }
}

/** Ends the connection so that the client can tell that the answer is incomplete. Keeps nothing but the response. */
export function cutShort(message: IncomingMessage, response: ServerResponse): void {
  if (endsWithConnection(message)) resetConnection(message.socket);
  else response.destroy();
}

// An answer in HTTP/1.0 without a length ends with the connection. Only a reset tells that it is incomplete.
function endsWithConnection({ httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.0';
}
