import type { Socket } from 'node:net';

/** Node's HTTP server sets this on each connection. Not documented; the same in Node 20 to 24. */
interface ParsedSocket {
  readonly parser?: { onIncoming?: unknown; readonly pause?: () => void } | null;
}

/** The parser takes any result other than 0, 1 and 2 for an error, and stops. */
function refuse(message: { upgrade: boolean }): number {
  // Node 20 does not report the error of a head with Upgrade or CONNECT. It would take the connection for an upgraded one, and
  // remove its own listeners: a reset would then end the process, and the end of the client would not be noticed.
  message.upgrade = false;
  return -1;
}

/**
 * Makes the HTTP parser of a connection fail at the next head, with a `clientError` unless that has Upgrade or CONNECT. Pausing the socket does not stop the
 * bytes of the current read: 64 KiB hold 3,600 requests, and Node keeps two objects for each.
 */
export function stopParsing(socket: Socket): void {
  const { parser } = socket as ParsedSocket;
  if (typeof parser?.onIncoming === 'function') parser.onIncoming = refuse;
  else socket.destroy();
}

/**
 * Makes the HTTP parser of a connection fail at each further read, with a `clientError`. What the current read has brought is still
 * parsed (Node 20, observed 2026-11).
 */
export function pauseParsing(socket: Socket): void {
  (socket as ParsedSocket).parser?.pause?.();
}
