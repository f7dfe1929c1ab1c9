import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startSidecar } from '../support/sidecar.ts';

it('a connection may be silent between two requests for as long as within one', async () => {
  const sidecar = await startSidecar({ server: '  limits: { idleTimeoutSeconds: 1 }' });
  try {
    const { hostname, port, host } = new URL(sidecar.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write(`GET /data/k HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 403 [\s\S]*^keep-alive: timeout=1\r$/im);
    socket.resume();
    await once(socket, 'end');
  } finally {
    await sidecar.stop();
  }
}, 30_000);
