import { expect, it } from 'vitest';
import { HttpClient } from '../../src/http-client/http-client.ts';
import { Asked } from './asking.ts';
import { eventually } from './in-front-of.ts';
import { startRawServer } from './raw-server.ts';

it('an answer that comes before the request is sent is refused', async () => {
  const server = await startRawServer(({ socket, received }) => {
    if (received().includes('/slow')) return;
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const client = new HttpClient(server.url, { connectMs: 60_000, headersMs: 60_000, idleMs: 60_000 });
  await new Asked(client).over;
  // Another request is under way, so the next one is sent at the end of its turn.
  const slow = new Asked(client, { target: '/slow', isFresh: true });
  await eventually(() => expect(server.accepted[1]?.received()).toContain('/slow'));
  const idle = server.accepted[0];
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      idle?.socket.write(
        'HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\nConnection: close\r\n\r\nevil',
      );
      resolve();
    }, 5);
  });
  const asked = new Asked(client, { target: '/second' });
  await asked.over;
  client.destroy();
  await slow.over;
  server.close();
  expect(asked.outcome).toBe('reset');
  expect(asked.fault).toMatchObject({ isStale: true, wasSent: false });
});
