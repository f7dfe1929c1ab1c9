import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Accepted, startRawServer } from '../http-client/raw-server.ts';
import { createAuthority } from '../support/authority.ts';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar } from '../support/sidecar.ts';
import { signHead } from '../support/signed-socket.ts';
import { clientHello, plainSocket, secureSocket, untilClosed } from '../support/tls-clients.ts';

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });
const authority = createAuthority();
const issued = authority.issue({ names: ['localhost'] });
const files = { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem };

/** A sidecar with TLS before a store on a bare socket. */
async function sidecarOverTls(onRequest: (connection: Accepted, request: number) => void, limits = '{}') {
  const store = await startRawServer(onRequest);
  onTestFinished(() => store.close());
  const sidecar = await startSidecar({
    directory: openDirectory,
    server: `  limits: ${limits}\n  tls: { certFile: tls.crt, keyFile: tls.key }`,
    files,
    backend: { endpoint: store.url, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
  onTestFinished(() => sidecar.stop());
  return { sidecar, store };
}

const open = (url: string): Promise<TLSSocket> => secureSocket(url, { ca: authority.certPem });

const upload = (url: string, length: number): Promise<string> =>
  signHead(url, {
    method: 'PUT',
    path: '/data/key',
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': String(length) },
  });

const get = (url: string, key: string): Promise<string> =>
  signHead(url, {
    method: 'GET',
    path: `/data/${key}`,
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  });

describe('an upload over TLS that is cut off', () => {
  it.each([
    ['by the end of the connection below', (socket: TLSSocket) => socket.destroy()],
    ['by an orderly end of TLS', (socket: TLSSocket) => socket.end()],
  ])('%s is reset at the store', async (_, cut) => {
    const { sidecar, store } = await sidecarOverTls(() => undefined);
    const socket = await open(sidecar.url);
    socket.write(await upload(sidecar.url, 300_000));
    socket.write(Buffer.alloc(200_000));
    await eventually(() => expect(store.accepted[0]?.received().length).toBeGreaterThan(100_000));
    cut(socket);
    await eventually(() => expect(store.accepted[0]?.ending()).toBe('reset'));
  });

  it('by bytes that are no TLS is reset at the store', async () => {
    const { sidecar, store } = await sidecarOverTls(() => undefined);
    const raw = await plainSocket(sidecar.url);
    const socket = connect({ socket: raw, ca: authority.certPem, servername: 'localhost' });
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined);
    socket.write(await upload(sidecar.url, 300_000));
    socket.write(Buffer.alloc(200_000));
    await eventually(() => expect(store.accepted[0]?.received().length).toBeGreaterThan(100_000));
    // Below the session, which cannot notice it.
    raw.write(Buffer.alloc(64, 7));
    await eventually(() => expect(store.accepted[0]?.ending()).toBe('reset'));
  });
});

it('carries out pipelined requests in order, also more than are read ahead', async () => {
  const { sidecar, store } = await sidecarOverTls(({ socket }, request) => {
    const body = `answer ${request};`;
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
  const socket = await open(sidecar.url);
  const keys = Array.from({ length: 40 }, (_, at) => `key-${at + 10}`);
  const heads = await Promise.all(keys.map((key) => get(sidecar.url, key)));
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.write(heads.join(''));
  await eventually(() =>
    expect(text.match(/answer \d+;/g)).toEqual(keys.map((_, at) => `answer ${at + 1};`)),
  );
  const targets = store.accepted.flatMap(({ received }) => received().match(/key-\d+/g) ?? []);
  expect(targets).toEqual(keys);
  socket.destroy();
});

it('resets a connection whose answer cannot be completed', async () => {
  const { sidecar } = await sidecarOverTls(({ socket }) => {
    // An answer of unknown length, whose end is only known by the end of a connection.
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n');
    setTimeout(() => socket.resetAndDestroy(), 50);
  });
  const head = await get(sidecar.url, 'key');
  const socket = await open(sidecar.url);
  socket.write(head.replace('HTTP/1.1', 'HTTP/1.0'));
  let hasEnded = false;
  socket.on('end', () => {
    hasEnded = true;
  });
  await untilClosed(socket);
  expect(hasEnded).toBe(false);
});

describe('connections in handshakes', () => {
  it('count as open connections, and give way where the listener is nearly full', async () => {
    const { sidecar } = await sidecarOverTls(
      () => undefined,
      '{ maxConnections: 20, maxUnauthenticated: 4 }',
    );
    const hello = await clientHello();
    const sockets = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const socket = await plainSocket(sidecar.url);
        if (index % 2 === 0) socket.write(hello);
        return socket;
      }),
    );
    await eventually(() => expect(sockets.filter((socket) => socket.closed).length).toBeGreaterThan(20));
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    const [, count] = /open_connections\{listener="s3"\} (\d+)/.exec(metrics) ?? [];
    expect(Number(count)).toBeGreaterThan(10);
    expect(Number(count)).toBeLessThanOrEqual(20);
    const late = await open(sidecar.url);
    late.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    expect(await untilClosed(late)).toMatch(/^HTTP\/1.1 403/);
    for (const socket of sockets) socket.destroy();
  });

  it('are closed when the sidecar stops', async () => {
    const { sidecar } = await sidecarOverTls(() => undefined);
    const silent = await plainSocket(sidecar.url);
    const begun = await plainSocket(sidecar.url);
    begun.write(await clientHello());
    await once(begun, 'data');
    const closed = Promise.all([untilClosed(silent), untilClosed(begun)]);
    await sidecar.app.stop();
    await closed;
  });
});
