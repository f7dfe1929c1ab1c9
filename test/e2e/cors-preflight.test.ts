import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { presignWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

const directory = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
`;
const page: readonly (readonly [string, string])[] = [
  ['origin', 'https://app.example.com'],
  ['access-control-request-method', 'PUT'],
];

let server: Server;
let sidecar: TestSidecar;
let status = 200;
const seen: IncomingMessage[] = [];
const storePort = (): number => (server.address() as AddressInfo).port;

/** A store whose buckets let one page put objects. */
function answer(message: IncomingMessage): [number, Record<string, string>, string] {
  if (status !== 200) return [status, {}, '<Error><Code>AccessForbidden</Code><Message>no</Message></Error>'];
  const headers = {
    'access-control-allow-origin': message.headers.origin ?? '',
    'access-control-allow-methods': 'PUT',
    'access-control-max-age': '3000',
    vary: 'Origin',
    server: 'a store',
    'x-store': 'internal',
  };
  return [200, headers, ''];
}

beforeAll(async () => {
  server = createServer((message, response) => {
    seen.push(message);
    const [code, headers, body] = answer(message);
    message.resume().on('end', () => response.writeHead(code, headers).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${storePort()}`;
  const backend = { endpoint, accessKeyId: 'STORE', secretAccessKey: 'secret-of-store' };
  sidecar = await startSidecar({ directory, backend });
});
afterAll(async () => {
  await sidecar.stop();
  server.close();
});
afterEach(() => {
  seen.splice(0);
  status = 200;
});

const send = (target: string, headers: readonly (readonly [string, string])[], method = 'OPTIONS') =>
  exchange(
    sidecar.url,
    toBytes({ method, target, headers: [['host', new URL(sidecar.url).host], ...headers.map(copyOf)] }),
  );
const copyOf = ([name, value]: readonly [string, string]): [string, string] => [name, value];

describe('a CORS preflight', () => {
  it('is answered with what the store says about CORS, and nothing else', async () => {
    const text = await send('/data/key', page);
    expect(summary(text)).toBe('200');
    expect(text).toContain('access-control-allow-origin: https://app.example.com\r\n');
    expect(text).toContain('access-control-max-age: 3000\r\n');
    expect(text).toContain('vary: Origin\r\n');
    expect(text).not.toMatch(/a store|x-store/);
  });

  it('reaches the store unsigned, with its address and the three headers of CORS only', async () => {
    await send('/data/a%20key', [
      ...page,
      ['access-control-request-headers', 'content-type,x-amz-date'],
      ['authorization', 'AWS4-HMAC-SHA256 Credential=x'],
      ['x-amz-security-token', 'token'],
      ['x-amz-copy-source', '/data/other'],
      ['cookie', 'a=b'],
    ]);
    expect(seen.map(({ method, url }) => [method, url])).toEqual([['OPTIONS', '/data/a%20key']]);
    const { host, connection, ...headers } = seen[0]?.headers ?? {};
    expect(host).toBe(`127.0.0.1:${storePort()}`);
    expect(connection).toBeUndefined();
    expect(headers).toEqual({
      origin: 'https://app.example.com',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type,x-amz-date',
    });
  });

  it('of a presigned URL drops its signature and every other parameter', async () => {
    const { host } = new URL(sidecar.url);
    const wire = await presignWithSmithy(
      { method: 'PUT', path: '/data/key', query: {}, headers: { host } },
      alice,
      {
        nowMs: Date.now(),
        expiresIn: 60,
      },
    );
    expect(wire.target).toContain('X-Amz-Signature=');
    expect(summary(await send(`${wire.target}&versionId=v&acl`, page))).toBe('200');
    expect(seen.map(({ url }) => url)).toEqual(['/data/key']);
  });

  it('works for a bucket too', async () => {
    expect(summary(await send('/data?list-type=2', page))).toBe('200');
    expect(seen.map(({ url }) => url)).toEqual(['/data']);
  });

  it('that the store refuses is refused, with our request id', async () => {
    status = 403;
    const text = await send('/data/key', page);
    expect(summary(text)).toBe('403 AccessForbidden');
    expect(text).toMatch(/<RequestId>\w+<\/RequestId>/);
  });

  it('that the store fails to answer is a fault of the store', async () => {
    status = 503;
    expect(summary(await send('/data/key', page))).toMatch(/^503/);
  });

  it.each([
    ['without an origin', page.slice(1), '400 BadRequest'],
    ['without a method', page.slice(0, 1), '400 BadRequest'],
    [
      'for a method that no rule can name',
      [...page.slice(0, 1), ['access-control-request-method', 'TRACE']],
      '400 BadRequest',
    ],
    ['with two origins', [...page, ['origin', 'https://evil.example.com']], '400 InvalidArgument'],
  ] as [string, [string, string][], string][])('%s is refused', async (_, headers, expected) => {
    expect(summary(await send('/data/key', headers))).toBe(expected);
    expect(seen).toEqual([]);
  });

  it.each([
    ['the service', '/'],
    ['a key with dot segments', '/data/../admin/key'],
    ['an admin API of the store', '/minio/admin/v3/info'],
    ['an invalid bucket name', '/A/key'],
    ['an encoded slash in the bucket', '/data%2Fkey/x'],
  ])('of %s never reaches the store as such', async (_, target) => {
    const text = await send(target, page);
    expect(summary(text)).toMatch(/^4\d\d /);
    expect(seen).toEqual([]);
  });

  it('does not open the store to other methods, whatever they say', async () => {
    expect(summary(await send('/data/key', page, 'GET'))).toBe('403 AccessDenied');
    expect(summary(await send('/data/key', [...page, ['x-http-method-override', 'OPTIONS']], 'PUT'))).toBe(
      '403 AccessDenied',
    );
    expect(seen).toEqual([]);
  });
});
