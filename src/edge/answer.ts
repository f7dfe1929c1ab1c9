import type { ServerResponse } from 'node:http';
import { isBodyUnread, readOn } from '../core/lingering.ts';
import type { ClientConnection } from './client-connection.ts';
import { NoPlace } from './places.ts';

/** A small answer, made here rather than streamed from the store. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Flat name, value, name, value. */
  readonly headers: readonly string[];
  /** Close the connection afterwards, because what follows on it cannot be trusted. */
  readonly closes?: boolean;
}

/** How long a client may take to read a small answer; the answer is held in memory until then. */
const maxReadingMs = 60_000;

/**
 * Ends an answer that was given whole to the connection, and is paid for, when its client has not taken it in time: the
 * bytes are the room of others.
 */
export function limitReading(response: ServerResponse, isPaidFor: () => boolean): void {
  response.once('prefinish', () => {
    if (!isPaidFor()) return;
    const deadline = setTimeout(() => response.destroy(), maxReadingMs);
    response.once('close', () => clearTimeout(deadline));
  });
}

/**
 * Sends a small answer. While the client is still sending its body, the connection is closed afterwards, but not
 * before the client had a chance to read: closing over unread bytes would reset the connection and lose the
 * answer.
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
  // Listened for from the start: a response that is closed already does not say so again.
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const hasContent = message.method !== 'HEAD';
  const headers = [...answer.headers];
  if (hasContent || answer.status < 400) headers.push('content-type', answer.contentType);
  if (hasContent) headers.push('content-length', String(body.length));
  if (isUnread || answer.closes === true) headers.push('connection', 'close');
  response.writeHead(answer.status, headers);
  if (hasContent) response.write(body);
  else response.flushHeaders();
  if (isUnread) {
    // Not waited for: a client that never sends its body would hold the place of another request.
    void Promise.race([readOn(message), closed]).then(() => response.end());
    return;
  }
  // Told of failures too, where the connection was closed before the answer was there.
  const finished = new Promise<void>((resolve) => response.end(() => resolve()));
  const deadline = setTimeout(() => response.destroy(), maxReadingMs);
  try {
    await place.waitFor(Promise.race([finished, closed]));
  } catch (error) {
    if (!(error instanceof NoPlace)) throw error;
    response.destroy();
  } finally {
    clearTimeout(deadline);
  }
}
