import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { endEarly } from '../../src/core/lingering.ts';
import { acceptedOn } from '../support/accepted-sockets.ts';
import { signedHead } from '../support/hostile/signed.ts';
import { openDirectory } from '../support/open-directory.ts';
import { alice, bob, startSidecar } from '../support/sidecar.ts';

const pieces = 24;
const piece = Buffer.alloc(1024 * 1024);

it('a refused upload of 24 MiB that is still being written gets its answer', async () => {
  const sidecar = await startSidecar();
  try {
    const { hostname, port } = new URL(sidecar.url);
    const length = `Content-Length: ${pieces * piece.length}\r\n`;
    const head = await signedHead(sidecar.url, bob, { method: 'PUT', path: '/data/k' }, length);
    const socket = connect({ host: hostname, port: Number(port) });
    let failure: unknown;
    let answer = '';
    socket.on('error', (error) => {
      failure = error;
    });
    socket.write(head, 'latin1');
    // Like most clients, this one writes the whole body before it looks for an answer.
    for (let sent = 0; sent < pieces && !socket.destroyed; sent += 1) {
      socket.write(piece);
      await setTimeout(60);
    }
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    await expect.poll(() => answer).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
    expect(failure).toBeUndefined();
  } finally {
    await sidecar.stop();
  }
});

it('the sidecar does not wait for a client that hangs up in the middle of an upload', async () => {
  const sidecar = await startSidecar({ directory: openDirectory });
  const port = Number(new URL(sidecar.url).port);
  const accepted = acceptedOn(port);
  try {
    const put = { method: 'PUT', path: '/data/k' };
    const head = await signedHead(sidecar.url, alice, put, 'Content-Length: 100000\r\n');
    const client = connect({ host: '127.0.0.1', port }).on('error', () => undefined);
    client.write(`${head}abc`);
    await expect.poll(() => accepted.sockets[0]?.bytesRead).toBe(head.length + 3);
    const closed = new Promise((resolve) => accepted.sockets[0]?.once('close', resolve));
    // Timers stand still, so the connection is not closed by the end of a wait.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    client.destroy();
    await closed;
  } finally {
    vi.useRealTimers();
    accepted.stop();
    await sidecar.stop();
  }
});

// A stranger who never read the answer had one-byte chunks parsed for a minute, and others waited 18 seconds.
it('a refused upload in tiny chunks is not read on while its answer waits for its reader', async () => {
  const ended = vi.fn();
  let refused: IncomingMessage | undefined;
  const server = createServer((message, response) => {
    refused = message;
    // As if the client read nothing of the answer.
    response.end = ended;
    endEarly(message, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  socket.write('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  socket.write('1\r\na\r\n'.repeat(2_000));
  await expect.poll(() => ended.mock.calls.length).toBe(1);
  expect(refused?.socket.isPaused()).toBe(true);
  socket.destroy();
});
