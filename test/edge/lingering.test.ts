import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { signedHead } from '../support/hostile/signed.ts';
import { bob, startSidecar } from '../support/sidecar.ts';

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
    // As most clients: all of the body is written before an answer is looked for.
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
