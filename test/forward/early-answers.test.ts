import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { listenAsStore } from '../support/own-store.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { summary } from '../support/wire.ts';

/** A store that answers, or hangs up, without reading a byte of the upload. */
const store = createServer((message, response) => {
  if (message.url === '/data/hang-up') {
    message.socket.destroy();
    return;
  }
  if (message.url === '/data/wordless') {
    response.writeHead(412, { 'content-length': 0 }).end();
    return;
  }
  const body = '<Error><Code>QuotaExceeded</Code><Message>full</Message></Error>';
  response.writeHead(403, { 'content-type': 'application/xml', 'content-length': body.length }).end(body);
});
let sidecar: TestSidecar;

beforeAll(async () => {
  sidecar = await startSidecar({ directory: openDirectory, backend: await listenAsStore(store) });
});
afterAll(async () => {
  await sidecar.stop();
  store.close();
});

it.each([
  ['refuses it', 'refuse', '403 QuotaExceeded'],
  ['hangs up', 'hang-up', '503 ServiceUnavailable'],
])(
  'an upload is answered at once, and its connection closed, when the store %s',
  async (_, key, expected) => {
    const size = 50_000_000;
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: `/data/${key}`,
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': String(size) },
    });
    const answer = readAll(socket);
    // A client that writes all of its body before it reads: it must not be left with a full pipe.
    for (let sent = 0; sent < size && !socket.destroyed; sent += 65_536) {
      if (!socket.write(Buffer.alloc(65_536)))
        await Promise.race([answer, once(socket, 'drain').catch(() => undefined)]);
    }
    expect(summary(await answer)).toBe(expected);
    expect(await answer).toMatch(/^connection: close\r$/im);
  },
);

it('a refusal without a body is answered while the client is still sending', async () => {
  const socket = await openSigned(sidecar.url, {
    method: 'PUT',
    path: '/data/wordless',
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '50000000' },
  });
  // A client that never pauses: each piece gives it longer, so only the head itself can tell.
  const sending = setInterval(() => socket.write(Buffer.alloc(1_000)), 20);
  const [head] = (await once(socket, 'data')) as [Buffer];
  const isSending = socket.writable;
  clearInterval(sending);
  socket.destroy();
  expect(head.toString()).toMatch(/^HTTP\/1\.1 412 /);
  expect(isSending).toBe(true);
}, 10_000);
