import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import { HeaderList } from '../../src/core/header-list.ts';
import { prepareObjectBody } from '../../src/forward/object-body.ts';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar } from '../support/sidecar.ts';
import { openSigned } from '../support/signed-socket.ts';

it('lets no request of a vanished client go on counting as in flight', async () => {
  const sidecar = await startSidecar({ directory: openDirectory });
  try {
    const requests = [
      { method: 'GET', path: '/data/key', headers: {} },
      {
        method: 'PUT',
        path: '/data/small',
        headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '10' },
      },
      {
        method: 'PUT',
        path: '/data/large',
        headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '500000' },
      },
      {
        method: 'PUT',
        path: '/data/bad',
        headers: { 'x-amz-content-sha256': 'nonsense', 'content-length': '500000' },
      },
      {
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '50000' },
      },
    ];
    for (let delayMs = 0; delayMs < 20; delayMs += 1) {
      const sockets = await Promise.all(requests.map((request) => openSigned(sidecar.url, request)));
      for (const socket of sockets) {
        socket.on('error', () => undefined);
        socket.write('part of the body');
      }
      await setTimeout(delayMs);
      for (const socket of sockets) socket.resetAndDestroy();
    }
    await setTimeout(500);
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/sts_sidecar_requests_in_flight\{listener="s3"\} 0\n/);
    expect(await outcome(s3Client(sidecar.url, alice).send(new ListBucketsCommand({})))).toBe('allowed');
  } finally {
    await sidecar.stop();
  }
});

it('survives a client that goes away while its body is not read', async () => {
  let prepared = (): void => undefined;
  const isPrepared = new Promise<void>((resolve) => {
    prepared = resolve;
  });
  const server = createServer((message) => {
    const headers = HeaderList.fromRaw(message.rawHeaders);
    const payload = { kind: 'unsigned' } as const;
    const reservation = new ByteBudget(1_000_000).reserve('test');
    const body = {
      message,
      headers,
      forwarded: new Map(),
      payload,
      reservation,
      invite: () => undefined,
      recheck: () => undefined,
    };
    void prepareObjectBody(body, 'reframe').then(prepared);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const failures: unknown[] = [];
  const note = (error: unknown): void => void failures.push(error);
  process.on('uncaughtException', note);
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\npart');
  await isPrepared;
  socket.resetAndDestroy();
  await setTimeout(100);
  process.off('uncaughtException', note);
  server.close();
  expect(failures).toEqual([]);
});

it('treats a request that offers an upgrade as the request it is', async () => {
  const sidecar = await startSidecar();
  try {
    const { hostname, port } = new URL(sidecar.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n\r\n',
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString('latin1')).toMatch(/^HTTP\/1\.1 403/);
    socket.destroy();
  } finally {
    await sidecar.stop();
  }
});
