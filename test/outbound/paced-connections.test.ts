import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { GuardedFetch } from '../../src/outbound/guarded-fetch.ts';
import { OutboundFault } from '../../src/outbound/outbound-fault.ts';
import { ProviderPace } from '../../src/outbound/provider-pace.ts';
import { selfSigned } from '../support/certificates.ts';

const file = (name: string): string =>
  readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8');
const caPem = file('ca.pem');
const leaf = file('server.pem');
const key = file('server-key.pem');

/** The URL of a TLS server that does this with each connection. */
async function serve(onConnection: (socket: TLSSocket) => void, options: TlsOptions = {}): Promise<string> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: leaf, key, ...options }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    onConnection(socket);
  });
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function openFetch(timeoutSeconds = 60): GuardedFetch {
  const fetch = new GuardedFetch({ allowHttp: [], timeoutSeconds, caPem });
  onTestFinished(() => fetch.close());
  return fetch;
}

const answer = (body: string, head = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${head}\r\n${body}`;

/** Writes each character as a record of its own. What is written in one turn would be joined. */
function writeInRecords(socket: TLSSocket, text: string, at = 0): void {
  if (at < text.length && !socket.destroyed)
    socket.write(text.charAt(at), () => writeInRecords(socket, text, at + 1));
}

async function reasonOf(asked: Promise<unknown>): Promise<unknown> {
  return await asked.then(
    () => 'answered',
    (error: unknown) => (error instanceof OutboundFault ? error.reason : error),
  );
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'an answer in %s records of one byte is oversized',
  async (version) => {
    const url = await serve(
      (socket) =>
        socket.once('data', () => writeInRecords(socket, answer(JSON.stringify('a'.repeat(20_000))))),
      { minVersion: version, maxVersion: version },
    );
    expect(await reasonOf(openFetch().answer({ url, maxBytes: 65_536 }))).toBe('oversized');
  },
);

it('a short answer in records of one byte is read, and each one of a connection may be as long', async () => {
  let connections = 0;
  const url = await serve((socket) => {
    connections += 1;
    socket.on('data', () => writeInRecords(socket, answer('[1]'.padEnd(5_000))));
  });
  const fetch = openFetch();
  for (let asked = 0; asked < 10; asked += 1)
    expect((await fetch.answer({ url, maxBytes: 65_536 })).value).toEqual([1]);
  // Five answers together are longer than one may be.
  expect(connections).toBeLessThanOrEqual(2);
});

it('the longest answer is read to its end, also where the connection ends with it', async () => {
  const text = 'a'.repeat(65_000);
  const url = await serve((socket) =>
    socket.once('data', () => socket.end(answer(JSON.stringify(text), 'connection: close\r\n'))),
  );
  expect((await openFetch().answer({ url, maxBytes: 65_536 })).value).toBe(text);
});

it('an answer that breaks off is no answer', async () => {
  const url = await serve((socket) => socket.once('data', () => socket.end(answer('"abc"').slice(0, -2))));
  expect(await reasonOf(openFetch().answer({ url, maxBytes: 65_536 }))).toBe('unreachable');
});

it('a handshake longer than 16 KiB is refused, before the certificates are verified', async () => {
  const reply = (socket: TLSSocket): void => void socket.once('data', () => socket.write(answer('1')));
  const long = await serve(reply, { cert: leaf + caPem.repeat(60) });
  const short = await serve(reply, { cert: leaf + caPem.repeat(3) });
  await expect(openFetch().answer({ url: long, maxBytes: 10 })).rejects.toThrow(/more than 16384 bytes/);
  expect((await openFetch().answer({ url: short, maxBytes: 10 })).value).toBe(1);
});

it('a certificate of an unknown authority, or for another name, is refused', async () => {
  const url = await serve((socket) => socket.end());
  const distrusting = new GuardedFetch({ allowHttp: [], timeoutSeconds: 60 });
  onTestFinished(() => distrusting.close());
  await expect(distrusting.answer({ url, maxBytes: 10 })).rejects.toThrow(/UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  const other = url.replace('127.0.0.1', '127.0.0.2');
  await expect(openFetch().answer({ url: other, maxBytes: 10 })).rejects.toThrow(/ECONNREFUSED/);
});

it('a server that says nothing after the connection is given up in time, and the connection closed', async () => {
  const server = createTcpServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const closed = once(server, 'connection').then(([socket]) => once(socket.resume(), 'close'));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await expect(openFetch(0.5).answer({ url, maxBytes: 10 })).rejects.toMatchObject({ reason: 'timeout' });
  await closed;
});

it('the server may not begin a second handshake', async () => {
  let renegotiated = false;
  const url = await serve(
    (socket) =>
      socket.once('data', () => {
        socket.renegotiate({}, (error) => {
          renegotiated = error === null;
          socket.write(answer('1'));
        });
      }),
    { maxVersion: 'TLSv1.2' },
  );
  await openFetch(5)
    .answer({ url, maxBytes: 10 })
    .catch(() => undefined);
  expect(renegotiated).toBe(false);
});

it.each([
  ['TLSv1.2', { ciphers: 'DHE-RSA-AES128-GCM-SHA256', dhparam: 'auto' }],
  ['TLSv1.3', { ecdhCurve: 'ffdhe8192' }],
] as const)('no Diffie-Hellman group of the server is computed in, %s', async (version, options) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const cert = `-----BEGIN CERTIFICATE-----\n${selfSigned(privateKey)}\n-----END CERTIFICATE-----\n`;
  const url = await serve(() => undefined, {
    ...options,
    cert,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    minVersion: version,
    maxVersion: version,
  });
  // The certificate, which nobody trusts, is not reached.
  await expect(openFetch().answer({ url, maxBytes: 10 })).rejects.toThrow(/HANDSHAKE_FAILURE/);
});

it.each(['X25519', 'P-256', 'P-384', 'P-521'])('a server with the curve %s is asked', async (ecdhCurve) => {
  const reply = (socket: TLSSocket): void => void socket.once('data', () => socket.write(answer('1')));
  const url = await serve(reply, { ecdhCurve });
  expect((await openFetch().answer({ url, maxBytes: 10 })).value).toBe(1);
});

it('the next connection resumes the session', async () => {
  const resumed: boolean[] = [];
  const url = await serve((socket) => {
    resumed.push(socket.isSessionReused());
    socket.once('data', () => socket.end(answer('1', 'connection: close\r\n')));
  });
  const fetch = openFetch();
  for (let asked = 0; asked < 3; asked += 1) await fetch.answer({ url, maxBytes: 10 });
  expect(resumed).toEqual([false, true, true]);
});

it('the connections of a provider have one turn at a time', async () => {
  const pace = new ProviderPace();
  const done: number[] = [];
  for (let index = 0; index < 5; index += 1) pace.nextTurn(() => done.push(index));
  for (let turns = 0; turns < 20 && done.length < 5; turns += 1) {
    const before = done.length;
    await setImmediate();
    expect(done.length - before).toBeLessThanOrEqual(1);
  }
  expect(done).toEqual([0, 1, 2, 3, 4]);
});

it('a turn that took long is followed by a rest', async () => {
  const pace = new ProviderPace();
  const busyMs = 30;
  let endedAtMs = 0;
  pace.nextTurn(() => {
    const { user, system } = process.cpuUsage();
    const spent = (): number => (process.cpuUsage().user + process.cpuUsage().system - user - system) / 1000;
    while (spent() < busyMs * 2);
    endedAtMs = performance.now();
  });
  const next = await new Promise<number>((resolve) => pace.nextTurn(() => resolve(performance.now())));
  expect(next - endedAtMs).toBeGreaterThan(busyMs * 10);
});
