import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

const carol = { accessKeyId: 'AKIACAROLCAROLCAROL1', secretAccessKey: 'secret-of-carol' };
const user = (name: string, key: string, variable: string, statement: string): string => `
    - name: ${name}
      accessKeys: [{ accessKeyId: ${key}, secretAccessKey: { env: ${variable} } }]
      inlinePolicies: { Own: { Version: "2012-10-17", Statement: [{ Effect: Allow, ${statement} }] } }`;
const directory = `
directory:
  users:${user('alice', alice.accessKeyId, 'ALICE', 'Action: "s3:*", Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]')}${user('bob', bob.accessKeyId, 'BOB', 'Action: "sts:*", Resource: "*"')}${user('carol', carol.accessKeyId, 'CAROL', 'Action: ["s3:GetObject", "s3:GetObjectVersion", "s3:*Tagging", "s3:GetObjectRetention"], Resource: "arn:aws:s3:::data/*"')}
`;
const bucketList =
  '<ListAllMyBucketsResult><Owner><ID>owner-of-the-store</ID></Owner><Buckets><Bucket><Name>data</Name></Bucket><Bucket><Name>merger</Name></Bucket></Buckets><ContinuationToken>merger</ContinuationToken></ListAllMyBucketsResult>';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let server: Server;
let sidecar: TestSidecar;
let given: Answer;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((message, response) => {
    seen.push(`${message.method} ${message.url} ${message.headers.range ?? ''}`.trim());
    const { status, body, headers } = given;
    message.resume().on('end', () => response.writeHead(status, { ...headers }).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const backend = { endpoint, accessKeyId: 'STORE', secretAccessKey: 'secret-of-store' };
  sidecar = await startSidecar({ directory, backend, variables: { CAROL: carol.secretAccessKey } });
});
afterAll(async () => {
  await sidecar.stop();
  server.close();
});
beforeEach(() => {
  seen.splice(0);
  given = { status: 200, body: '' };
});

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send({ method = 'GET', path, query = {}, headers = {} }: Sent, as = alice): Promise<string> {
  const { host } = new URL(sidecar.url);
  const all = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers };
  const wire = await signWithSmithy({ method, path, query: { ...query }, headers: all }, as, {
    nowMs: Date.now(),
  });
  return exchange(sidecar.url, toBytes(wire));
}

describe('a list of buckets for a caller who may list some', () => {
  it('is requested in full, and shows none of the others', async () => {
    given = { status: 200, body: bucketList };
    const text = await send({ path: '/', query: { 'max-buckets': '1', 'continuation-token': 'x' } });
    expect(seen).toEqual(['GET /']);
    expect(text).toContain('<Name>data</Name>');
    expect(text).not.toContain('merger');
  });

  it.each([203, 206, 299])('is not shown unfiltered when the status is %i', async (status) => {
    given = { status, body: bucketList };
    const text = await send({ path: '/', headers: { range: 'bytes=0-' } });
    expect(summary(text)).toBe('503 ServiceUnavailable');
    expect(text).not.toContain('merger');
    expect(seen).toEqual(['GET /']);
  });
});

describe('an answer that names what is behind the sidecar', () => {
  it('keeps the path of a redirect only', async () => {
    given = { status: 307, body: '', headers: { location: 'http://store-7.internal:9000/data/x?y=1' } };
    const text = await send({ path: '/data/x' });
    expect(text).toMatch(/^HTTP\/1.1 307/);
    expect(text).toMatch(/\r\nlocation: \/data\/x\?y=1\r\n/i);
    expect(text).not.toContain('store-7.internal');
  });

  it.each([
    [502, 'InternalError'],
    [403, 'InvalidRequest'],
  ])('becomes an error of S3 when it is a page with status %i', async (status, code) => {
    given = { status, body: '<html>upstream store-7.internal:9000 refused</html>' };
    const text = await send({ path: '/data/x' });
    expect(summary(text)).toBe(`${status} ${code}`);
    expect(text).not.toContain('store-7.internal');
  });

  it('stays empty when it was', async () => {
    given = { status: 412, body: '' };
    expect(summary(await send({ path: '/data/x' }))).toBe('412');
  });
});

describe('a document that is passed on unread', () => {
  it.each([
    ['POST', '/data/k', { uploadId: 'x' }],
    ['PUT', '/data', { lifecycle: '' }],
  ] as const)('is not requested for a caller who may not send it: %s %s', async (method, path, query) => {
    const headers = { 'content-length': '2000000', expect: '100-continue' };
    const text = await send({ method, path, query, headers }, bob);
    expect(text).toMatch(/^HTTP\/1.1 403/);
    expect(text).not.toContain('100 Continue');
    expect(seen).toEqual([]);
  });
});

describe('an object that is missing, and hidden from who may not list', () => {
  it.each(['GET', 'HEAD'])('leaves the status of the store in the log line of a %s', async (method) => {
    const body = method === 'HEAD' ? '' : '<Error><Code>NoSuchKey</Code></Error>';
    given = { status: 404, body };
    const before = sidecar.logged.length;
    expect(await send({ method, path: '/data/x' }, carol)).toMatch(/^HTTP\/1.1 403/);
    await expect.poll(() => sidecar.logged.length).toBe(before + 1);
    const line: unknown = JSON.parse(sidecar.logged.at(-1) ?? '{}');
    expect(line).toMatchObject({ status: 403, decision: 'allow', upstream_status: 404 });
    await send({ method, path: '/data/x' });
    await expect.poll(() => sidecar.logged.length).toBe(before + 2);
    expect(JSON.parse(sidecar.logged.at(-1) ?? '{}')).not.toHaveProperty('upstream_status');
  });

  // Stores say so where the last version is a delete marker.
  it.each([
    ['GET', { tagging: '' }],
    ['DELETE', { tagging: '' }],
    ['GET', { retention: '' }],
    ['HEAD', {}],
  ])('is not told from one that never was by 405: %s %j', async (method, query) => {
    given = { status: 405, body: method === 'HEAD' ? '' : '<Error><Code>MethodNotAllowed</Code></Error>' };
    const sent = { method, path: '/data/x', query };
    expect(await send(sent, carol)).toMatch(/^HTTP\/1.1 403/);
    expect(await send(sent)).toMatch(/^HTTP\/1.1 405/);
  });

  it('a version that the caller names is told to be a delete marker', async () => {
    given = { status: 405, body: '<Error><Code>MethodNotAllowed</Code></Error>' };
    expect(await send({ path: '/data/x', query: { versionId: 'v1' } }, carol)).toMatch(/^HTTP\/1.1 405/);
  });
});
