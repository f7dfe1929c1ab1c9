import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Handshake, type HandshakeCosts } from '../../src/tls/handshake.ts';
import { clientHello, untilClosed } from '../support/tls-clients.ts';

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
const costs = (lastMs: number): HandshakeCosts => ({ deadlineMs: 60_000, memoryBytes: 1_000, lastMs });

/** Opens connections, each with the same bytes, and waits until they have been accepted. */
async function accepted(count: number, bytes: Buffer): Promise<{ clients: Socket[]; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void sockets.push(socket.on('error', () => undefined)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: count }, () => {
    const client = connect({ host: '127.0.0.1', port }).on('error', () => undefined);
    client.write(bytes);
    return client;
  });
  onTestFinished(() => {
    for (const socket of [...clients, ...sockets]) socket.destroy();
    server.close();
  });
  await eventually(() => expect(sockets).toHaveLength(count));
  return { clients, sockets };
}

it('begins in a turn of its own when the last one took all of one', async () => {
  const { sockets } = await accepted(12, await clientHello());
  let turn = 0;
  const count = (): void => {
    turn += 1;
    if (begun.length < 12) setImmediate(count);
  };
  const begun: number[] = [];
  const shared = costs(2);
  for (const socket of sockets) {
    const onTurn = (): void => void begun.push(turn);
    new Handshake(socket, shared, { onMemory: () => undefined, onFailed: () => undefined, onTurn });
  }
  setImmediate(count);
  await eventually(() => expect(begun).toHaveLength(12));
  expect(new Set(begun).size).toBeGreaterThan(6);
});

it('gives back every byte that it has read, and says what it takes', async () => {
  const hello = await clientHello();
  const {
    sockets: [socket],
  } = await accepted(1, hello);
  if (socket === undefined) throw new Error('nothing was accepted');
  const memory: number[] = [];
  await new Promise<void>((resolve) => {
    new Handshake(socket, costs(0.1), {
      onMemory: (bytes) => memory.push(bytes),
      onFailed: () => undefined,
      onTurn: resolve,
    });
  });
  expect(memory.at(-1)).toBe(hello.length + 1_000);
  expect(Buffer.compare(socket.read() as Buffer, hello)).toBe(0);
});

it.each([
  [
    'more than a ClientHello may have',
    Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc]), Buffer.alloc(40_000)]),
  ],
  ['something else', Buffer.from('\u0000nonsense')],
])('is over when the client sends %s', async (_, bytes) => {
  const { sockets, clients } = await accepted(1, bytes);
  const failed = vi.fn();
  const begun = vi.fn();
  for (const socket of sockets)
    new Handshake(socket, costs(2), { onMemory: () => undefined, onFailed: failed, onTurn: begun });
  await Promise.all(clients.map(untilClosed));
  await eventually(() => expect(failed.mock.calls.length + begun.mock.calls.length).toBeGreaterThan(0));
  expect(failed).toHaveBeenCalledExactlyOnceWith('not_tls');
});

it('ends without a report when the client leaves', async () => {
  const { sockets, clients } = await accepted(1, Buffer.from([22, 3, 1]));
  const failed = vi.fn();
  for (const socket of sockets)
    new Handshake(socket, costs(2), { onMemory: () => undefined, onFailed: failed, onTurn: failed });
  for (const client of clients) client.end();
  await eventually(() => expect(sockets.every(({ closed }) => closed)).toBe(true));
  expect(failed).not.toHaveBeenCalled();
});
