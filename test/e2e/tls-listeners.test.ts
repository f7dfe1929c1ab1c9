import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Agent } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority, type Issued } from '../support/authority.ts';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecarOptions } from '../support/sidecar.ts';
import { plainSocket, secureS3, untilClosed } from '../support/tls-clients.ts';

const authority = createAuthority();
const issued = authority.issue({ names: ['localhost', '127.0.0.1'] });
const files = { 'tls.crt': issued.certPem, 'tls.key': issued.keyPem, 'ca.crt': authority.certPem };
const section = '{ certFile: tls.crt, keyFile: tls.key }';
const token = 'a-token-of-the-control-listener';

async function start(options: TestSidecarOptions) {
  const sidecar = await startSidecar({ directory: openDirectory, files, ...options });
  onTestFinished(() => sidecar.stop());
  return sidecar;
}

/** The status of an answer to a GET over TLS. */
async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const dispatcher = new Agent({ connect: { ca: authority.certPem } });
  const { fetch } = await import('undici');
  const { status } = await fetch(url, { dispatcher, headers });
  await dispatcher.close();
  return status;
}

describe('the listener for operators', () => {
  const control = {
    further: `control: { listen: "127.0.0.1:0", token: { env: CONTROL }, tls: ${section} }`,
    variables: { CONTROL: token },
  };

  it('speaks TLS, asks for the token, and answers no plain HTTP', async () => {
    const { controlUrl } = await start(control);
    expect(controlUrl).toMatch(/^https:/);
    expect(await statusOf(`${controlUrl}/revocations`)).toBe(401);
    expect(await statusOf(`${controlUrl}/revocations`, { authorization: `Bearer ${token}` })).toBe(200);
    const socket = await plainSocket(controlUrl);
    socket.write(`GET /revocations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1.1 400/);
  });

  it('is not held by strangers who begin no handshake', async () => {
    const { controlUrl } = await start(control);
    const strangers = await Promise.all(Array.from({ length: 200 }, () => plainSocket(controlUrl)));
    expect(await statusOf(`${controlUrl}/revocations`, { authorization: `Bearer ${token}` })).toBe(200);
    await expect
      .poll(() => strangers.filter((socket) => socket.closed || socket.readableEnded).length)
      .toBeGreaterThan(100);
    for (const socket of strangers) socket.destroy();
  });
});

describe('the certificate of a running listener', () => {
  it('changes at a reload; whether it has TLS needs a restart', async () => {
    const sidecar = await start({ server: `  tls: ${section}` });
    const ask = async (ca: string): Promise<string> =>
      outcome(
        secureS3(sidecar.url.replace('127.0.0.1', 'localhost'), alice, { ca }).send(
          new GetObjectCommand({ Bucket: 'data', Key: 'k' }),
        ),
      );
    expect(await ask(authority.certPem)).toBe('NoSuchBucket 404');
    const other = createAuthority('other');
    const next = other.issue({ names: ['localhost'] });
    sidecar.reload({ files: { 'tls.crt': next.certPem, 'tls.key': next.keyPem } });
    expect(await ask(other.certPem)).toBe('NoSuchBucket 404');
    expect(await ask(authority.certPem)).not.toMatch(/\d/);
    sidecar.reload({ server: '' });
    expect(await ask(other.certPem)).toBe('NoSuchBucket 404');
    expect(sidecar.logged.join()).toContain('"settings":["server.tls"]');
  });
});

describe('aws:SecureTransport', () => {
  const secureOnly = openDirectory.replace(
    'Statement: [',
    'Statement: [{ Effect: Deny, Action: "s3:*", Resource: "*", Condition: { Bool: { "aws:SecureTransport": false } } }, ',
  );
  const get = new GetObjectCommand({ Bucket: 'data', Key: 'k' });

  it('is true with TLS', async () => {
    const sidecar = await start({ directory: secureOnly, server: `  tls: ${section}` });
    const s3 = secureS3(sidecar.url.replace('127.0.0.1', 'localhost'), alice, { ca: authority.certPem });
    expect(await outcome(s3.send(get))).toBe('NoSuchBucket 404');
  });

  it('is false without', async () => {
    const sidecar = await start({ directory: secureOnly });
    expect(await outcome(s3Client(sidecar.url, alice).send(get))).toBe('AccessDenied 403');
  });
});

/** A store with https that accepts every upload of clients with one of those certificates. */
async function startSecureStore(clientCa: string): Promise<{ url: string; shown: string[] }> {
  const shown: string[] = [];
  const options = { cert: issued.certPem, key: issued.keyPem, ca: clientCa, requestCert: true };
  const server = createServer(options, (request, response) => {
    const { socket } = request as unknown as { socket: { getPeerCertificate(): { serialNumber: string } } };
    shown.push(socket.getPeerCertificate().serialNumber);
    request.resume().on('end', () => response.setHeader('connection', 'close').end());
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, shown };
}

describe('a store with https', () => {
  const clients = createAuthority('clients');

  const prepare = async (tls: string | undefined, pair: Issued) => {
    const store = await startSecureStore(clients.certPem);
    const further = tls === undefined ? '' : `  tls: ${tls}`;
    const options = {
      files: { ...files, 'client.crt': pair.certPem, 'client.key': pair.keyPem },
      backend: {
        endpoint: store.url,
        accessKeyId: 'KEY',
        secretAccessKey: 'store-secret',
        timeouts: further,
      },
    };
    return { sidecar: await start(options), store, options };
  };
  const put = (url: string): Promise<string> =>
    outcome(s3Client(url, alice).send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })));

  it('is reached with its private authority and a client certificate, which change at a reload', async () => {
    const tls = '{ caFile: ca.crt, certFile: client.crt, keyFile: client.key }';
    const { sidecar, store, options } = await prepare(tls, clients.issue());
    expect(await put(sidecar.url)).toBe('allowed');
    const next = clients.issue();
    sidecar.reload({ files: { ...options.files, 'client.crt': next.certPem, 'client.key': next.keyPem } });
    expect(await put(sidecar.url)).toBe('allowed');
    expect(new Set(store.shown).size).toBe(2);
  });

  it.each([
    ['without the authority', undefined, clients.issue()],
    ['without a client certificate', '{ caFile: ca.crt }', clients.issue()],
    [
      'with one of another authority',
      '{ caFile: ca.crt, certFile: client.crt, keyFile: client.key }',
      authority.issue(),
    ],
  ])('is not reached %s', async (_, tls, pair) => {
    const { sidecar, store } = await prepare(tls, pair);
    expect(await put(sidecar.url)).toMatch(/ 50[23]$/);
    expect(store.shown).toEqual([]);
  });
});
