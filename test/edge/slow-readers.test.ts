import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { limitReading } from '../../src/edge/answer.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** An answer whose client takes nothing of it, after a minute. */
async function unreadAfterAMinute(isPaidFor: boolean): Promise<ServerResponse> {
  const server = createServer((_, response) => {
    limitReading(response, () => isPaidFor);
    response.end(Buffer.alloc(32 * 1024 * 1024));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  socket.on('error', () => undefined);
  socket.pause();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>;
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [, response] = await asked;
  vi.advanceTimersByTime(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  server.close();
  return response;
}

it('an answer that is paid for from the byte budget has a minute to be read', async () => {
  expect((await unreadAfterAMinute(true)).destroyed).toBe(true);
});

it('the end of a download has as long as its client makes progress', async () => {
  expect((await unreadAfterAMinute(false)).destroyed).toBe(false);
});
