import type { ServerResponse } from 'node:http';
import { endEarly, isBodyUnread } from '../core/lingering.ts';
import type { ClientConnection } from './client-connection.ts';
import { NoPlaceError } from './place.ts';

/** A small answer that the sidecar makes itself. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Flat name, value, name, value. */
  readonly headers: readonly string[];
  /** Close the connection afterwards, because the end of the request is not known. */
  readonly closes?: boolean;
}

/** How long a client may take to read a small answer, which is held in memory until then. */
const maxReadingMs = 60_000;

/**
 * Destroys a response that the client has not read in time, if it is held in memory and paid for from the byte budget.
 */
export function limitReading(response: ServerResponse, isPaidFor: () => boolean): void {
  response.once('prefinish', () => {
    if (!isPaidFor()) return;
    const deadline = setTimeout(() => response.destroy(), maxReadingMs);
    response.once('close', () => clearTimeout(deadline));
  });
}

/**
 * Sends a small answer. If the client is still sending its body, the connection is closed afterwards, once the client
 * has had a chance to read: closing with unread bytes resets the connection, and the client loses the answer.
 */
export async function sendAnswer(
  { message, response, place }: ClientConnection,
  answer: Answer,
): Promise<void> {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(answer.body, 'utf8');
  const isUnread = isBodyUnread(message);
  // Before anything is written: a response emits `close` only once.
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const hasContent = message.method !== 'HEAD';
  const headers = [...answer.headers];
  if (hasContent || answer.status < 400) headers.push('content-type', answer.contentType);
  if (hasContent) headers.push('content-length', String(body.length));
  if (isUnread || answer.closes === true) {
    headers.push('connection', 'close');
    response.shouldKeepAlive = false;
  }
  response.writeHead(answer.status, headers);
  if (hasContent) response.write(body);
  else response.flushHeaders();
  if (isUnread) {
    // Not waited for: a client that never sends its body would hold the place of another request.
    endEarly(message, response);
    return;
  }
  if (place.hasGivenWay) {
    endAtOnce(response);
    return;
  }
  // The callback is also called when the connection has failed.
  const finished = new Promise<void>((resolve) => response.end(() => resolve()));
  let deadline: NodeJS.Timeout | undefined;
  const givenUp = new Promise<void>((resolve) => {
    deadline = setTimeout(() => {
      response.destroy();
      resolve();
    }, maxReadingMs);
  });
  try {
    await place.waitFor(Promise.race([finished, closed, givenUp]));
  } catch (error) {
    if (!(error instanceof NoPlaceError)) throw error;
    response.destroy();
  } finally {
    clearTimeout(deadline);
  }
}

/** Ends a response that may not wait for its client: without room in the buffers of the kernel its connection is closed. */
function endAtOnce(response: ServerResponse): void {
  response.end();
  // Node writes at the end of the turn.
  setImmediate(() => {
    if (!response.writableFinished) response.destroy();
  });
}
