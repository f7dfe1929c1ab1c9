import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** What a store does when a request has begun to arrive; everything but the first is wrong in its own way. */
const behaviours: readonly ((socket: Socket) => void | Promise<void>)[] = [
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 5\r\n\r\nhello'),
  (socket) => void socket.resetAndDestroy(),
  (socket) => void socket.end(),
  (socket) => void socket.write('garbage\r\n\r\n'),
  async (socket) => {
    socket.write('HTTP/1.1 200');
    await setTimeout(100);
    socket.end();
  },
  (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'),
  (socket) => void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'),
  (socket) => void socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello and more'),
  (socket) => void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  (socket) => {
    socket.write('HTTP/1.1 412 Precondition Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    socket.resetAndDestroy();
  },
  async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
    for (let piece = 0; piece < 5 && !socket.destroyed; piece += 1) {
      socket.write('x'.repeat(1000));
      await setTimeout(5);
    }
    socket.resetAndDestroy();
  },
  async (socket) => {
    await setTimeout(150);
    socket.resetAndDestroy();
  },
  async (socket) => {
    await setTimeout(100);
    socket.write('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nno!');
  },
  (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${'x-filling: aaaaaaaaaaaaaaaaaaaa\r\n'.repeat(5000)}`),
];

/** A store that does something else at each request, most of it wrong. */
export interface ChaosStore {
  readonly url: string;
  /** From now on it answers every request as it should. */
  behave(): void;
  /** Requests that have begun to arrive. */
  readonly requests: () => number;
  close(): void;
}

/** Starts it on a free port. `choose` returns a number below its argument. */
export async function startChaosStore(choose: (below: number) => number): Promise<ChaosStore> {
  let isBehaving = false;
  let requests = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      // A head may come in one piece with the end of the body before it.
      if (!/(?:GET|HEAD|PUT|POST|DELETE) \/data/.test(bytes.toString('latin1'))) return;
      requests += 1;
      void behaviours[isBehaving ? 0 : choose(behaviours.length)]?.(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave: () => {
      isBehaving = true;
      for (const socket of open) socket.destroy();
    },
    requests: () => requests,
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
