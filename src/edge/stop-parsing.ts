import type { Socket } from 'node:net';

/** Node's HTTP server sets this on each connection. Not documented; the same in Node 20 to 24. */
interface ParsedSocket {
  readonly parser?: { onIncoming?: unknown } | null;
}

/** The parser takes any result other than 0, 1 and 2 for an error, and stops. */
const refuse = (): number => -1;

/**
 * Makes the HTTP parser of a connection fail with a `clientError` at the next head. Pausing the socket does not stop the
 * bytes of the current read: 64 KiB hold 3,600 requests, and Node keeps two objects for each.
 */
export function stopParsing(socket: Socket): void {
  const { parser } = socket as ParsedSocket;
  if (typeof parser?.onIncoming === 'function') parser.onIncoming = refuse;
  else socket.destroy();
}
