import type { IncomingMessage, ServerResponse } from 'node:http';
import { PieceDebt } from './piece-debt.ts';

/**
 * How much of an upload that was answered early is still read, in bytes, and for how long, in milliseconds, before its
 * connection is closed. Parts of the usual clients have 5 to 16 MiB, and most clients write all of one before they
 * look for an answer. Such a connection holds no place; the listener counts what it holds otherwise.
 * Thousands of short chunks would cost more than their bytes, so such a body closes the connection at once.
 */
const lingerBytes = 64 * 1024 * 1024;
const lingerMs = 30_000;
const silenceMs = 2_000;
const lingerChunkBytes = 1024;
/** How long the client may then take to read the rest of the answer. */
const maxReadingMs = 60_000;

const abandoned = new WeakSet<IncomingMessage>();

/**
 * Stops reading a body, except for what is being parsed already. A paused message would keep an object for each parsed
 * piece, so the pieces are discarded. A flowing message would ask its connection for more, so `_read` does nothing.
 * {@link readOn} does not wait for more.
 */
export function abandon(message: IncomingMessage): void {
  abandoned.add(message);
  message._read = () => undefined;
  message.on('data', () => undefined);
  message.socket.pause();
}

const cutShort = new WeakSet<IncomingMessage>();

/** Notes that the rest of a body is not looked at. Node may call the message complete all the same. */
export function cutBody(message: IncomingMessage): void {
  cutShort.add(message);
}

/** True while the client is still sending its body, and for one that was cut. */
export function isBodyUnread(message: IncomingMessage): boolean {
  return (!message.complete || cutShort.has(message)) && hasBody(message);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Ends a response that was written before its request was complete, after {@link readOn}. The connection closes then, and
 * nothing that comes after the request is served.
 */
export function endEarly(message: IncomingMessage, response: ServerResponse): void {
  void readOn(message).then(() => {
    response.end();
    const deadline = setTimeout(() => response.destroy(), maxReadingMs);
    response.once('close', () => clearTimeout(deadline));
  });
}

/**
 * Reads on for a while in a body that is no longer needed. Closing with unread bytes resets the connection, and a client
 * that writes its whole body before it reads would lose the answer. Resolves when the client has sent everything, has
 * disconnected, or has used up its time. Source: RFC 9112 section 9.6.
 */
function readOn(message: IncomingMessage): Promise<void> {
  message.unpipe();
  const { socket } = message;
  if (message.readableEnded || message.destroyed || socket.readableEnded || abandoned.has(message))
    return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const debt = new PieceDebt(message, lingerChunkBytes);
    const stop = (): void => {
      clearTimeout(end);
      clearTimeout(silence);
      message.off('data', onData);
      socket.off('end', stop);
      // The answer may wait for its reader for a minute, and a stranger must not have chunks parsed for as long.
      if (!message.complete) abandon(message);
      resolve();
    };
    const end = setTimeout(stop, lingerMs);
    const silence = setTimeout(stop, silenceMs);
    const onData = (piece: Buffer): void => {
      silence.refresh();
      bytes += piece.length;
      if (bytes > lingerBytes || debt.isTooMuchWith(piece.length)) stop();
    };
    message.on('data', onData);
    for (const event of ['end', 'close', 'error']) message.once(event, stop);
    socket.once('end', stop);
    message.resume();
  });
}
