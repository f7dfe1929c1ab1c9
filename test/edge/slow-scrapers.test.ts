import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createAdminServer, maxAdminConnections } from '../../src/edge/admin.ts';
import { ConnectionTable } from '../../src/edge/connection-table.ts';
import { LimitReporter } from '../../src/edge/limit-reporter.ts';
import { Log } from '../../src/observe/log.ts';
import { Metrics } from '../../src/observe/metrics.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

it('probes are answered while every connection is busy with metrics', async () => {
  const log = new Log({ level: 'silent', requests: false, objectKeys: 'off' });
  const reporter = new LimitReporter(new Metrics(), log);
  const connections = new ConnectionTable(maxAdminConnections, reporter, 'any');
  // As long as sending them takes when the client does not read.
  const renderMetrics = (): Promise<never> => new Promise(() => undefined);
  const server = createAdminServer({ parts: () => [], renderMetrics, connections });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    for (let index = 0; index < maxAdminConnections; index += 1) {
      const asked = once(server, 'request');
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('error', () => undefined);
      socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
      sockets.push(socket);
      await asked;
    }
    for (let probe = 0; probe < 20; probe += 1)
      expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
