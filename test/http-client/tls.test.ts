import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { HttpClient } from '../../src/http-client/http-client.ts';
import { Asked } from './asking.ts';
import { answerOf, eventually, timeouts, upload } from './in-front-of.ts';
import { startRawServer } from './raw-server.ts';

const pem = (name: string): Buffer => readFileSync(new URL(`../support/tls/${name}`, import.meta.url));

it('speaks TLS to a peer that it can verify, and to no other', async () => {
  const server = createTlsServer({ cert: pem('server.pem'), key: pem('server-key.pem') }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(answerOf('ok')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stranger = new HttpClient(url, timeouts);
  const client = new HttpClient(url, timeouts, { ca: pem('ca.pem').toString() });
  onTestFinished(() => void server.close());
  onTestFinished(() => stranger.destroy());
  onTestFinished(() => client.destroy());
  expect((await new Asked(stranger).over).fault).toMatchObject({ reason: 'connect', wasSent: false });
  expect((await new Asked(client).over).outcome).toBe('200 ok');
  expect((await new Asked(client).over).outcome).toBe('200 ok');
  const asked = new Asked(client, upload(5_000_000));
  asked.exchange.write(Buffer.alloc(1_000_000));
  asked.exchange.abort();
  expect((await new Asked(client).over).outcome).toBe('200 ok');
});

it('resets a TLS connection whose upload is aborted', async () => {
  let received = 0;
  let error: NodeJS.ErrnoException | undefined;
  // The connection below TLS is what shows a reset.
  const server = createServer((tcp) => {
    tcp.on('error', (fault) => {
      error = fault;
    });
    const secure = new TLSSocket(tcp, {
      isServer: true,
      cert: pem('server.pem'),
      key: pem('server-key.pem'),
    });
    secure.on('error', (fault) => {
      error = fault;
    });
    secure.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HttpClient(url, timeouts, { ca: pem('ca.pem').toString() });
  onTestFinished(() => void server.close());
  onTestFinished(() => client.destroy());
  const { exchange } = new Asked(client, upload(100));
  exchange.write(Buffer.alloc(99));
  await eventually(() => expect(received).toBeGreaterThan(99));
  exchange.abort();
  await eventually(() => expect(error?.code).toBe('ECONNRESET'));
});

/** A client of a peer that sends `answer` over TLS, and then ends the connection: with `close_notify`, or by a bare FIN. */
async function answeredAndEnded(answer: string, isNotified: boolean): Promise<HttpClient> {
  const server = createServer((tcp) => {
    tcp.on('error', () => undefined);
    const secure = new TLSSocket(tcp, {
      isServer: true,
      cert: pem('server.pem'),
      key: pem('server-key.pem'),
    });
    secure.on('error', () => undefined);
    secure.on('data', () => secure.write(answer, () => (isNotified ? secure.end() : tcp.end())));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HttpClient(url, timeouts, { ca: pem('ca.pem').toString() });
  onTestFinished(() => void server.close());
  onTestFinished(() => client.destroy());
  return client;
}

const close = 'connection: close\r\n';
it.each([
  ['without a length', `HTTP/1.1 200 OK\r\n${close}\r\nok`, 'protocol'],
  ['in HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\nok', 'protocol'],
  ['shorter than its length', `HTTP/1.1 200 OK\r\n${close}content-length: 3\r\n\r\nok`, 'reset'],
  ['with a length', `HTTP/1.1 200 OK\r\n${close}content-length: 2\r\n\r\nok`, '200 ok'],
  [
    'in chunks',
    `HTTP/1.1 200 OK\r\n${close}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    '200 ok',
  ],
  ['without a body', `HTTP/1.1 204 No Content\r\n${close}\r\n`, '204 '],
])('reads an answer %s over TLS only if its end cannot be forged', async (_, answer, expected) => {
  for (const isNotified of [true, false]) {
    const client = await answeredAndEnded(answer, isNotified);
    expect((await new Asked(client).over).outcome).toBe(expected);
  }
});

it('gives up on a peer that never answers the TLS handshake, and closes the connection', async () => {
  const server = await startRawServer(() => undefined);
  onTestFinished(server.close);
  const client = new HttpClient(server.url.replace('http', 'https'), { ...timeouts, connectMs: 300 });
  onTestFinished(() => client.destroy());
  const { fault } = await new Asked(client, { body: Buffer.from('never sent') }).over;
  expect(fault).toMatchObject({ reason: 'connect_timeout', wasSent: false });
  await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
  expect(server.accepted[0]?.received()).not.toContain('never sent');
});

it('keeps a body that is written during the handshake, and asks for more afterwards', async () => {
  let received = '';
  const server = createTlsServer({ cert: pem('server.pem'), key: pem('server-key.pem') }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      if (received.endsWith('!')) socket.write(answerOf('ok'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HttpClient(url, timeouts, { ca: pem('ca.pem').toString() });
  onTestFinished(() => client.destroy());
  const asked = new Asked(client, upload(4));
  expect(asked.exchange.write(Buffer.from('abc'))).toBe(false);
  await eventually(() => expect(asked.drains).toBe(1));
  expect(asked.exchange.write(Buffer.from('!'))).toBe(true);
  expect((await asked.over).outcome).toBe('200 ok');
  expect(received).toMatch(/^PUT \/ HTTP\/1\.1\r\n[\s\S]*\r\n\r\nabc!$/);
});
