import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ConnectionTable } from '../../src/edge/connection-table.ts';
import { LimitReporter } from '../../src/edge/limit-reporter.ts';
import { Log } from '../../src/observe/log.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { addressOf } from '../support/address.ts';

// A stranger's bad bytes make Node end a connection, and further connections make the limit close it in the same turn.
it('a connection that gives way while it is already closing is forgotten', async () => {
  const log = new Log({ level: 'error', requests: false, objectKeys: 'off' }, { write: () => undefined });
  const table = new ConnectionTable(4, new LimitReporter(new Metrics(), log));
  const server = createServer();
  const served: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => undefined);
    served.push(socket);
    if (served.length === 4) served[0]?.end('bye');
  });
  table.watch(server, 16_384);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const clients = Array.from({ length: 4 }, () => connect({ ...addressOf(server), allowHalfOpen: true }));
  for (const client of clients) client.on('error', () => undefined).resume();
  await expect.poll(() => served.length).toBe(4);
  for (const client of clients) client.destroy();
  await expect.poll(() => table.size).toBe(0);
});

it.each([
  ['little', 2, false],
  ['much', 40, true],
])('unfinished heads that take %s memory: %i of them give way to a reload: %s', async (_, count, gives) => {
  const log = new Log({ level: 'error', requests: false, objectKeys: 'off' }, { write: () => undefined });
  const table = new ConnectionTable(100, new LimitReporter(new Metrics(), log));
  const server = createServer({ maxHeaderSize: 32_768 });
  table.watch(server, 32_768);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  const head = `GET / HTTP/1.1\r\nx: ${'a'.repeat(30_000)}`;
  const clients = Array.from({ length: count }, () => connect(addressOf(server)));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  for (const client of clients) {
    client.on('error', () => undefined);
    client.resume().write(head);
  }
  const read = (): number => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  await expect.poll(read).toBe(count * head.length);
  expect(table.closeUnplaced()).toBe(gives);
  await expect.poll(() => table.size).toBe(gives ? 0 : count);
});
