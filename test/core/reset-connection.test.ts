import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { resetConnection } from '../../src/core/reset-connection.ts';
import { addressOf } from '../support/address.ts';

async function pair(): Promise<{ served: Socket; client: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const client = connect({ ...addressOf(server), allowHalfOpen: true });
  client.on('error', () => undefined);
  const [served] = (await once(server, 'connection')) as [Socket];
  served.on('error', () => undefined);
  onTestFinished(() => void client.destroy());
  return { served, client };
}

it('a connection is reset', async () => {
  const { served, client } = await pair();
  const failed = once(client, 'error');
  resetConnection(served);
  await once(served, 'close');
  expect(String(await failed)).toContain('ECONNRESET');
});

// Node would keep the descriptor of such a connection for good.
it('a connection that is already ending is closed too', async () => {
  const { served, client } = await pair();
  client.write('x');
  await once(served, 'data');
  served.end('bye');
  resetConnection(served);
  await once(served, 'close');
  expect(served.destroyed).toBe(true);
});
