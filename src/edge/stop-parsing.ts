import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** What Node's HTTP server hangs on a connection; not documented, the same in Node 20 to 24. */
interface ParsedSocket {
  readonly parser?: { onIncoming?: unknown } | null;
}

/** Any result but 0, 1 and 2 is an error to the parser, which stops. */
const refuse = (): number => -1;

/**
 * Makes the HTTP parser of a connection end with a `clientError` at the next head that it finds. Pausing the socket
 * comes too late for what one read has brought: 64 KiB hold 3,600 requests, and Node keeps two objects for each.
 */
export function stopParsing(socket: Socket): void {
  const { parser } = socket as ParsedSocket;
  if (typeof parser?.onIncoming === 'function') parser.onIncoming = refuse;
  else socket.destroy();
}

/**
 * A listener for peers that have no reason to pipeline: a connection on which a request comes before the last one was
 * answered is closed.
 */
export function oneAtATime(listener: RequestListener): RequestListener {
  const busy = new WeakSet<Socket>();
  return (message, response) => {
    const { socket } = message;
    if (busy.has(socket)) {
      stopParsing(socket);
      socket.destroy();
      return;
    }
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
    listener(message, response);
  };
}
