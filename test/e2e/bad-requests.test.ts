import { once } from 'node:events';
import { connect } from 'node:net';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WireRequest } from '../support/raw-requests.ts';
import { assume, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { type RequestToSign, signWithSmithy, type TestCredentials } from '../support/smithy-signer.ts';
import { exchange, summary, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
let session: Required<TestCredentials>;
let host: string;

beforeAll(async () => {
  sidecar = await startSidecar();
  host = new URL(sidecar.url).host;
  session = await assume(sidecar.url, alice, 'data');
  const s3 = s3Client(sidecar.url, session);
  await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'key', Body: 'content' }));
});
afterAll(() => sidecar.stop());

async function send(wire: WireRequest, body = ''): Promise<string> {
  return summary(await exchange(sidecar.url, toBytes(wire, body)));
}

function sign(
  request: Partial<RequestToSign> = {},
  options: Parameters<typeof signWithSmithy>[2] = {},
): Promise<WireRequest> {
  const { method = 'GET', path = '/data/key', query = {}, headers = {} } = request;
  return signWithSmithy({ method, path, query, headers: { host, ...headers } }, session, {
    nowMs: Date.now(),
    ...options,
  });
}

const withHeader = (wire: WireRequest, name: string, value: string): WireRequest => ({
  ...wire,
  headers: [...wire.headers, [name, value]],
});

describe('a well-signed request', () => {
  it('is answered', async () => {
    expect(await send(await sign())).toBe('200');
  });
});

describe('requests that are refused before the store is contacted', () => {
  const cases: [string, string, () => Promise<WireRequest>][] = [
    [
      'no credentials',
      '403 AccessDenied',
      async () => ({ method: 'GET', target: '/data/key', headers: [['host', host]] }),
    ],
    [
      'a tampered path',
      '403 SignatureDoesNotMatch',
      async () => ({ ...(await sign()), target: '/data/other' }),
    ],
    [
      'a tampered query',
      '403 SignatureDoesNotMatch',
      async () => ({ ...(await sign({ path: '/data', query: { prefix: 'a' } })), target: '/data?prefix=b' }),
    ],
    ['a tampered method', '403 SignatureDoesNotMatch', async () => ({ ...(await sign()), method: 'DELETE' })],
    [
      'a tampered header',
      '403 SignatureDoesNotMatch',
      async () => {
        const wire = await sign({ headers: { 'x-amz-meta-a': '1' } });
        return {
          ...wire,
          headers: wire.headers.map(([name, value]) => [name, name === 'x-amz-meta-a' ? '2' : value]),
        };
      },
    ],
    [
      'another host',
      '403 SignatureDoesNotMatch',
      async () => {
        const wire = await sign();
        return {
          ...wire,
          headers: wire.headers.map(([name, value]) => [name, name === 'host' ? 'elsewhere' : value]),
        };
      },
    ],
    [
      'a clock 16 minutes behind',
      '403 RequestTimeTooSkewed',
      () => sign({}, { nowMs: Date.now() - 960_000 }),
    ],
    ['a clock 16 minutes ahead', '403 RequestTimeTooSkewed', () => sign({}, { nowMs: Date.now() + 960_000 })],
    [
      'an unsigned x-amz-acl',
      '403 AccessDenied',
      async () => withHeader(await sign({ method: 'PUT' }), 'x-amz-acl', 'public-read'),
    ],
    [
      'an unsigned copy source',
      '403 AccessDenied',
      async () => withHeader(await sign({ method: 'PUT' }), 'x-amz-copy-source', '/data/secret/x'),
    ],
    [
      'a duplicate parameter',
      '400 InvalidArgument',
      async () => ({ ...(await sign({ path: '/data' })), target: '/data?prefix=a&prefix=b' }),
    ],
    [
      'a duplicate authorization header',
      '400 InvalidArgument',
      async () => {
        const wire = await sign();
        return withHeader(
          wire,
          'authorization',
          wire.headers.find(([name]) => name === 'authorization')?.[1] ?? '',
        );
      },
    ],
    [
      'a second kind of credentials',
      '400 InvalidArgument',
      async () => {
        const wire = await sign();
        return { ...wire, target: `${wire.target}?X-Amz-Signature=0` };
      },
    ],
    [
      'a presigned URL without a signature',
      '400 AuthorizationQueryParametersError',
      async () => ({
        method: 'GET',
        target: '/data/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x',
        headers: [['host', host]],
      }),
    ],
    [
      'a V2 signature',
      '400 InvalidRequest',
      async () => ({
        method: 'GET',
        target: '/data/key',
        headers: [
          ['host', host],
          ['authorization', 'AWS AKIA:sig'],
        ],
      }),
    ],
    [
      'a V2 presigned URL',
      '400 InvalidRequest',
      async () => ({
        method: 'GET',
        target: '/data/key?AWSAccessKeyId=a&Signature=b&Expires=1',
        headers: [['host', host]],
      }),
    ],
    [
      'a V4A signature',
      '501 NotImplemented',
      async () => ({
        method: 'GET',
        target: '/data/key',
        headers: [
          ['host', host],
          ['authorization', 'AWS4-ECDSA-P256-SHA256 Credential=x'],
        ],
      }),
    ],
    [
      'a form upload of nothing',
      '400 IncompleteBody',
      async () => ({
        method: 'POST',
        target: '/data',
        headers: [
          ['host', host],
          ['content-type', 'multipart/form-data; boundary=x'],
          ['content-length', '0'],
        ],
      }),
    ],
    [
      'another scheme',
      '400 InvalidArgument',
      async () => ({
        method: 'GET',
        target: '/data/key',
        headers: [
          ['host', host],
          ['authorization', 'Bearer x'],
        ],
      }),
    ],
    [
      'an unreadable authorization',
      '400 InvalidArgument',
      async () => ({
        method: 'GET',
        target: '/data/key',
        headers: [
          ['host', host],
          ['authorization', 'x07'],
        ],
      }),
    ],
    [
      'an empty authorization',
      '403 AccessDenied',
      async () => ({
        method: 'GET',
        target: '/data/key',
        headers: [
          ['host', host],
          ['authorization', ''],
        ],
      }),
    ],
    [
      'malformed parts of an authorization',
      '400 AuthorizationHeaderMalformed',
      async () => ({
        method: 'GET',
        target: '/data/key',
        headers: [
          ['host', host],
          ['authorization', 'AWS4-HMAC-SHA256 Credential=x'],
        ],
      }),
    ],
    [
      'an upload in chunks with signatures of version 4A',
      '501 NotImplemented',
      () =>
        sign({
          method: 'PUT',
          headers: {
            'x-amz-content-sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
            'content-length': '0',
          },
        }),
    ],
    [
      'a streaming upload that does not say how long it is',
      '411 MissingContentLength',
      () =>
        sign({
          method: 'PUT',
          headers: { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'content-length': '0' },
        }),
    ],
    [
      'a streaming read',
      '400 InvalidRequest',
      () => sign({ headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } }),
    ],
    ['a scope for another service', '400 AuthorizationHeaderMalformed', () => sign({}, { service: 'ec2' })],
    [
      'an absolute-form target',
      '400 InvalidURI',
      async () => ({ ...(await sign()), target: `http://${host}/data/key` }),
    ],
    ['two hosts', '400 InvalidRequest', async () => withHeader(await sign(), 'Host', 'other')],
    ['no host', '400 InvalidRequest', async () => ({ method: 'GET', target: '/data/key', headers: [] })],
    ['a body on a read', '400 InvalidRequest', () => sign({ headers: { 'content-length': '4' } })],
    [
      'a digest of another body on a read',
      '400 XAmzContentSHA256Mismatch',
      () => sign({ headers: { 'x-amz-content-sha256': 'a'.repeat(64) } }),
    ],
    ['an upload without a length', '411 MissingContentLength', () => sign({ method: 'PUT' })],
    [
      'an upload over 5 GiB',
      '400 EntityTooLarge',
      () =>
        sign({
          method: 'PUT',
          headers: { 'content-length': '5368709121', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        }),
    ],
    [
      'a multi-delete over 2 MiB',
      '400 MaxMessageLengthExceeded',
      () =>
        sign({
          method: 'POST',
          path: '/data',
          query: { delete: '' },
          headers: { 'content-length': '2097153', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        }),
    ],
  ];

  it.each(cases)('rejects %s with %s', async (_, expected, make) => {
    const before = sidecar.seen.length;
    expect(await send(await make())).toBe(expected);
    expect(sidecar.seen.length).toBe(before);
  });

  it('rejects headers over the limit', async () => {
    const answer = await exchange(
      sidecar.url,
      `GET / HTTP/1.1\r\nhost: ${host}\r\nx-amz-meta-a: ${'a'.repeat(40_000)}\r\n\r\n`,
    );
    expect(summary(answer)).toBe('400 RequestHeaderSectionTooLarge');
  });

  it('rejects bytes that are not HTTP', async () => {
    expect(summary(await exchange(sidecar.url, 'NONSENSE\r\n\r\n'))).toBe('400 BadRequest');
  });

  it('rejects a length together with chunked encoding, so that no second request can hide in the body', async () => {
    const before = sidecar.seen.length;
    const wire = withHeader(
      await sign({ method: 'DELETE', headers: { 'content-length': '4' } }),
      'transfer-encoding',
      'chunked',
    );
    const answer = await exchange(
      sidecar.url,
      `${toBytes(wire)}0\r\n\r\nGET /data/secret HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(sidecar.seen.length).toBe(before);
  });

  it('rejects a chunked body on a delete', async () => {
    const before = sidecar.seen.length;
    const wire = await sign({ method: 'DELETE', headers: { 'transfer-encoding': 'chunked' } });
    expect(await send(wire, '0\r\n\r\n')).toBe('400 InvalidRequest');
    expect(sidecar.seen.length).toBe(before);
  });

  it('answers a refused upload without 100 Continue', async () => {
    const wire = await sign({
      method: 'PUT',
      path: '/data/secret/x',
      headers: { 'content-length': '10', expect: '100-continue', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    const answer = await exchange(sidecar.url, toBytes(wire));
    expect(summary(answer)).toBe('403 AccessDenied');
    expect(answer).not.toContain('100 Continue');
  });

  it('sends 100 Continue for an allowed upload at once', async () => {
    const wire = await sign({
      method: 'PUT',
      path: '/data/invited',
      headers: { 'content-length': '10', expect: '100-continue', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    const { hostname, port } = new URL(sidecar.url);
    const socket = connect({ host: hostname, port: Number(port) }, () =>
      socket.write(toBytes(wire), 'latin1'),
    );
    const [invitation] = await once(socket, 'data');
    expect(String(invitation)).toMatch(/^HTTP\/1\.1 100 Continue/);
    socket.destroy();
  });
});

describe('answers to bad signatures', () => {
  it('show what was signed, but neither the token nor a signature', async () => {
    const wire = await sign();
    const answer = await exchange(sidecar.url, toBytes({ ...wire, target: '/data/other' }));
    expect(answer).toContain('<StringToSign>AWS4-HMAC-SHA256');
    expect(answer).toContain('x-amz-security-token:[redacted]');
    expect(answer).not.toContain(session.sessionToken);
    expect(answer).not.toMatch(/Signature=[0-9a-f]{64}/);
  });
});
