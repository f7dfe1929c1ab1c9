import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One connection as the server sees it. */
export interface Accepted {
  readonly socket: Socket;
  /** Everything that arrived, latin1. */
  readonly received: () => string;
  /** How it ended: `end` for an orderly end, `reset`, or undefined while it is open. */
  readonly ending: () => 'end' | 'reset' | undefined;
}

/** A server on a bare socket. */
export interface RawServer {
  readonly url: string;
  readonly accepted: Accepted[];
  close(): void;
}

/** Starts a server that calls `onRequest` with each connection, and its number, when a request head has arrived there. */
export async function startRawServer(
  onRequest: (connection: Accepted, request: number) => void,
): Promise<RawServer> {
  const accepted: Accepted[] = [];
  let requests = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let received = '';
    let ending: 'end' | 'reset' | undefined;
    const connection = { socket, received: () => received, ending: () => ending };
    accepted.push(connection);
    socket.on('error', () => {
      ending ??= 'reset';
    });
    // Node reports a reset as an end when it comes together with data; the peer's address tells them apart.
    socket.on('end', () => {
      ending ??= socket.remotePort === undefined ? 'reset' : 'end';
    });
    let heads = 0;
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      const begun = received.length > 100_000 ? heads : received.split('\r\n\r\n').length - 1;
      for (; begun > heads; heads += 1) {
        requests += 1;
        onRequest(connection, requests);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted,
    close: () => {
      server.close();
      for (const { socket } of accepted) socket.destroy();
    },
  };
}
