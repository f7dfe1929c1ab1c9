import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createHttpServer } from '../tls/http-server.ts';
import type { ListenerTls } from '../tls/listener-tls.ts';
import { stopParsing } from './stop-parsing.ts';

/**
 * A server for clients that do not pipeline. A connection that sends a request before the last one is answered is closed.
 *
 * Node answers a request without a Host header, or with an unknown expectation, before any listener sees it, and a single
 * read brings thousands. So these are answered here.
 */
export function createOneAtATimeServer(
  options: ServerOptions,
  listener: RequestListener,
  tls?: ListenerTls,
): Server {
  return answerOneAtATime(createHttpServer({ ...options, requireHostHeader: false }, tls), listener);
}

/** The same for a server that exists, which does not require a Host header by itself. */
export function answerOneAtATime<AnyServer extends Server>(
  server: AnyServer,
  listener: RequestListener,
): AnyServer {
  const busy = new WeakSet<Socket>();
  const serve =
    (answer: RequestListener): RequestListener =>
    (message, response) => {
      const { socket } = message;
      if (busy.has(socket)) {
        stopParsing(socket);
        socket.destroy();
        return;
      }
      busy.add(socket);
      response.once('close', () => busy.delete(socket));
      if (isHostMissing(message)) refuse(response, 400);
      else answer(message, response);
    };
  server.on('request', serve(listener));
  server.on(
    'checkContinue',
    serve((message, response) => {
      response.writeContinue();
      listener(message, response);
    }),
  );
  server.on(
    'checkExpectation',
    serve((_, response) => refuse(response, 417)),
  );
  return server;
}

/** RFC 9112, section 3.2. */
function isHostMissing({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close', 'content-length': 0 }).end();
}
