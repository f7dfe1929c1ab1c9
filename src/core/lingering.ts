import type { IncomingMessage } from 'node:http';

/** How much of an upload that was answered early is read, and for how long, before its connection is closed. */
const lingerBytes: number = 1024 * 1024;
const lingerMs = 2_000;

/** True while the client is still sending its body. */
export function isBodyUnread(message: IncomingMessage): boolean {
  return !message.complete && hasBody(message);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Goes on reading a body that nobody needs, for a while: closing over unread bytes would reset the connection and lose
 * the answer, and a client that only writes would never look for it. Source: RFC 9112 section 9.6.
 */
export function readOn(message: IncomingMessage): Promise<void> {
  message.unpipe();
  return new Promise((resolve) => {
    let received = 0;
    const timer = setTimeout(resolve, lingerMs);
    const stop = (): void => {
      clearTimeout(timer);
      resolve();
    };
    message.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > lingerBytes) stop();
    });
    for (const event of ['end', 'close', 'error']) message.once(event, stop);
    message.resume();
  });
}
