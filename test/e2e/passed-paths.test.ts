import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenAsStore } from '../support/own-store.ts';
import { assume, outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { exchange, summary } from '../support/wire.ts';

let store: Server;
let storeHost: string;
let sidecar: TestSidecar;
const seen: IncomingMessage[] = [];
const long = Buffer.alloc(5_000_000, 'a');

beforeAll(async () => {
  store = createServer((message, response) => {
    seen.push(message);
    response.setHeader('server', 'store');
    response.setHeader('set-cookie', 'a=b');
    response.setHeader('x-store', 'kept');
    if (message.url === '/minio/health/long') response.end(long);
    else if (message.url === '/minio/health/moved')
      response
        .writeHead(301, { location: `http://${storeHost}/minio/health/live`, 'content-type': 'text/html' })
        .end(`<a href="http://${storeHost}/minio/health/live">Moved</a>`);
    else if (message.url === '/minio/health/empty')
      message.socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: 5\r\n\r\n');
    else if (message.url === '/minio/health/cut') {
      response.writeHead(200, { 'content-length': '100' }).write('begun');
      setTimeout(() => message.socket.destroy(), 50);
    } else if (message.url === '/minio/health/hung') response.writeHead(200).write('begun');
    else response.writeHead(message.url === '/minio/health/dead' ? 503 : 200).end('answer');
  });
  const backend = await listenAsStore(store);
  storeHost = new URL(backend.endpoint).host;
  sidecar = await startSidecar({
    backend,
    server: '  virtualHosts: [s3.example.com]',
    store: '  passthrough: [/minio/health/, /healthz]',
  });
});
afterAll(async () => {
  await sidecar.stop();
  store.closeAllConnections();
  store.close();
});
beforeEach(() => {
  seen.length = 0;
});

function send(line: string, headers: readonly string[] = [], host = 'any.minio.internal'): Promise<string> {
  const head = [`${line} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers];
  return exchange(sidecar.url, `${head.join('\r\n')}\r\n\r\n`);
}

describe('a path below a prefix', () => {
  it('is handed to the store, without a signature and under the Host of the store', async () => {
    const answer = await send('GET /minio/health/live?verbose=1', [
      'Authorization: Bearer abc',
      'X-Forwarded-For: 10.0.0.1',
      'X-Http-Method-Override: DELETE',
      'X-Minio-Source: a',
      'Cookie: a=b',
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*x-store: kept[\s\S]*answer/);
    expect(answer).not.toMatch(/^(?:server|set-cookie):/im);
    const [{ method, url, headers }] = seen as [IncomingMessage];
    expect([method, url]).toEqual(['GET', '/minio/health/live?verbose=1']);
    expect(headers).toEqual({ host: storeHost, authorization: 'Bearer abc' });
  });

  it('has the status and the body that the store gives it', async () => {
    expect(await send('GET /minio/health/dead')).toMatch(/^HTTP\/1\.1 503 [\s\S]*answer/);
    expect(await send('HEAD /healthz')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/);
    const moved = await send('GET /minio/health/moved');
    expect(moved).toMatch(/^location: \/minio\/health\/live\r$/m);
    expect(moved).not.toContain(storeHost);
    expect(moved).toMatch(/^content-length: 0\r$/im);
    expect(moved).not.toMatch(/^content-type:/im);
    expect(await send('GET /minio/health/empty')).toMatch(/^HTTP\/1\.1 204 (?![\s\S]*content-length)/i);
    expect((await send('GET /minio/health/long')).length).toBeGreaterThan(long.length);
  });

  it('ends as the store ends it, and lets go of the store when the client leaves', async () => {
    const answer = await send('GET /minio/health/cut');
    expect(answer).toMatch(/\r\n\r\nbegun$/);
    const { hostname, port } = new URL(sidecar.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write('GET /minio/health/hung HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    const closed = once((seen.at(-1) as IncomingMessage).socket, 'close');
    socket.destroy();
    await closed;
  });

  it('is logged as that', async () => {
    await send('GET /minio/health/live');
    const line = sidecar.logged.map((text) => JSON.parse(text)).findLast(({ operation }) => operation);
    expect(line).toMatchObject({
      operation: 'Passthrough',
      caller: 'passthrough',
      key: '/minio/health/live',
      status: 200,
    });
    await send(`GET /minio/health/${'a'.repeat(10_000)}`);
    expect(sidecar.logged.at(-1)?.length).toBeLessThan(2000);
  });
});

describe('nothing else is handed to the store', () => {
  const token = 'X-Amz-Security-Token: abc';
  const signature = 'Authorization: AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/s3/aws4_request';
  it.each([
    ['GET /minio/health/%6cive', [], '400 InvalidURI'],
    ['GET /minio/health//live', [], '400 InvalidURI'],
    ['GET /minio/health/../admin/v3', [], '400 InvalidURI'],
    ['GET /minio/health/./live', [], '400 InvalidURI'],
    ['GET /minio/health/..', [], '400 InvalidURI'],
    ['GET /minio/health/..\\admin', [], '400 InvalidURI'],
    ['GET /minio/health/a#b', [], '400 InvalidURI'],
    ['GET /minio/health/live?a=%zz', [], '400 InvalidURI'],
    ['GET /minio/health/live?a=<', [], '400 InvalidURI'],
    ['GET /minio/health/live', ['Content-Length: 1'], '400 InvalidRequest'],
    ['GET /minio/health/live', ['Transfer-Encoding: chunked'], '400 InvalidRequest'],
    ['GET /minio/health/live', [token], '403 AccessDenied'],
    ['GET /minio/health/live?x-amz-security-token=a', [], '403 AccessDenied'],
    ['GET /minio/health/live', [signature], '403 AccessDenied'],
    ['GET /minio/health/live', ['Authorization: AWS a:b'], '403 AccessDenied'],
    ['GET /minio/health/live?X-Amz-Signature=a', [], '403 AccessDenied'],
    ['PUT /minio/health/live', ['Content-Length: 0'], '403 AccessDenied'],
    ['POST /minio/health/live', ['Content-Length: 0'], '403 AccessDenied'],
    ['DELETE /minio/health/live', [], '403 AccessDenied'],
    ['GET /minio/healthy', [], '403 AccessDenied'],
    ['GET /minio/%68ealth/live', [], '403 AccessDenied'],
    ['GET //minio/health/live', [], '403 AccessDenied'],
    ['GET /Minio/health/live', [], '403 AccessDenied'],
    ['GET http://a/minio/health/live', [], '400 InvalidURI'],
  ])('%s %j is %s', async (line, headers, expected) => {
    expect(summary(await send(line, headers))).toBe(expected);
    expect(seen).toEqual([]);
  });

  it('under a Host that names a bucket it is a key', async () => {
    expect(summary(await send('GET /minio/health/live', [], 'data.s3.example.com'))).toBe('403 AccessDenied');
    expect(seen).toEqual([]);
  });

  it('a session of the sidecar stays here', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'admin'));
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: 'healthz', Key: 'k' })))).toBe(
      'AccessDenied 403',
    );
    expect(seen).toEqual([]);
  });
});

it('has 16 places, of which one network takes 12', async () => {
  const { host, hostname, port } = new URL(sidecar.url);
  const head = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const sockets = Array.from({ length: 12 }, () => connect(Number(port), hostname));
  for (const socket of sockets) {
    socket.on('error', () => undefined).write(head('/minio/health/hung'));
    await once(socket, 'data');
  }
  expect(summary(await exchange(sidecar.url, head('/minio/health/live')))).toBe('503 SlowDown');
  for (const socket of sockets) socket.destroy();
  await expect
    .poll(async () => summary(await exchange(sidecar.url, head('/minio/health/live'))))
    .toMatch(/^200/);
});
