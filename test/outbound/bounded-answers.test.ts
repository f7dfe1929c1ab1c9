import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { boundAnswers } from '../../src/outbound/bounded-answers.ts';
import { GuardedFetch } from '../../src/outbound/guarded-fetch.ts';
import { OutboundFault } from '../../src/outbound/outbound-fault.ts';
import { ProviderPace } from '../../src/outbound/provider-pace.ts';

/** The port of a server that does this with each connection. */
async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Writes without end, once a request has begun. */
function answerForever(head: string, rest: string): (socket: Socket) => void {
  const more = rest.repeat(Math.ceil(65_536 / rest.length));
  const write = (socket: Socket): void => {
    while (!socket.destroyed && socket.write(more));
  };
  return (socket) =>
    socket.once('data', () => {
      socket.write(head);
      socket.on('drain', () => write(socket));
      write(socket);
    });
}

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

it.each([
  ['interim answers', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ['interim answers with headers', '', `HTTP/1.1 102 Processing\r\n${'a:b\r\n'.repeat(100)}\r\n`],
  ['an extension of a chunk', `${chunked}1;a=`, 'a'],
  ['empty lines before the answer', '', '\r\n'],
  ['chunks of one byte', chunked, '1\r\n \r\n'],
])('an answer of %s without end is oversized', async (_, head, rest) => {
  const port = await serve(answerForever(head, rest));
  const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 60 });
  onTestFinished(() => fetch.close());
  const asked = fetch.answer({ url: `http://127.0.0.1:${port}/`, maxBytes: 65_536 });
  await expect(asked).rejects.toMatchObject({ reason: 'oversized' });
  await expect(asked).rejects.toBeInstanceOf(OutboundFault);
});

it('each answer of a connection may be as long', async () => {
  const body = JSON.stringify('a'.repeat(50_000));
  const port = await serve((socket) =>
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)),
  );
  const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds: 60 });
  onTestFinished(() => fetch.close());
  for (let asked = 0; asked < 20; asked += 1) {
    const { value } = await fetch.answer({ url: `http://127.0.0.1:${port}/`, maxBytes: 65_536 });
    expect(value).toHaveLength(50_000);
  }
});

it('a connection ends, also where one turn has read all that was there', async () => {
  const port = await serve((socket) => socket.end(Buffer.alloc(2_048)));
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  boundAnswers(socket, 65_536, new ProviderPace());
  // Its end has arrived too.
  await expect.poll(() => socket.readableLength).toBe(2_048);
  await setTimeout(200);
  const ended = once(socket, 'end');
  socket.on('readable', () => {
    while (socket.read() !== null);
  });
  await Promise.race([ended, setTimeout(5_000).then(() => expect.unreachable('no end'))]);
});

it('a connection is read in small pieces, a few in each turn, and not at all once it is closed', async () => {
  const port = await serve((socket) => socket.write(Buffer.alloc(100_000)));
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  boundAnswers(socket, 65_536, new ProviderPace());
  const turns: number[] = [];
  socket.on('readable', () => {
    let bytes = 0;
    for (let piece: unknown = socket.read(); Buffer.isBuffer(piece); piece = socket.read()) {
      expect(piece.length).toBeLessThanOrEqual(512);
      bytes += piece.length;
      if (turns.length === 3) socket.destroy();
    }
    if (bytes > 0) turns.push(bytes);
  });
  while (!socket.destroyed) await setImmediate();
  await setImmediate();
  expect(turns).toHaveLength(4);
  expect(Math.max(...turns)).toBeLessThanOrEqual(2_048);
  expect(turns[3]).toBeLessThanOrEqual(512);
});
