import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers a request in place of the issuer; true when it did. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Answers every request with a status. */
export function status(code: number): Listener {
  return (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json' }).end('{}');
    return true;
  };
}

/** Answers every request with a body. */
export function text(body: string): Listener {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    return true;
  };
}

/** Accepts every request and answers none. */
export function silent(): boolean {
  return true;
}

/** Closes the connection. */
export function hangUp(request: IncomingMessage): boolean {
  request.socket.destroy();
  return true;
}

/** Sends a few bytes at a time, and never ends. */
export function trickle(_: IncomingMessage, response: ServerResponse): boolean {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
  return true;
}

/** Answers more than the limit. */
export function flood(_: IncomingMessage, response: ServerResponse): boolean {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`{"keys":[],"filler":"${'x'.repeat(300_000)}"}`);
  return true;
}

/** Redirects to a key set. */
export function redirect(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.url?.startsWith('/elsewhere') === true) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
    return true;
  }
  response.writeHead(302, { location: '/elsewhere' }).end();
  return true;
}
