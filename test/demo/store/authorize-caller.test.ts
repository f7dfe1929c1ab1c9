import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import {
  type StoreFixture,
  sendRaw,
  signedHeaders,
  startFixture,
  type TestRequest,
} from './store-fixture.ts';

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.send({ method: 'PUT', target: '/data' });
});
afterAll(() => fixture.store.close());

const fifteenMinutesMs = 900_000;

describe('the store authenticates its callers', () => {
  it('answers a correctly signed request, with a request id', async () => {
    const answer = await fixture.send({ target: '/data' });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/);
  });

  it('rejects an unsigned request', async () => {
    const headers = [{ name: 'host', value: `127.0.0.1:${fixture.store.port}` }];
    const answer = await sendRaw(fixture.store.port, { method: 'GET', target: '/data', body: '' }, headers);
    expect([answer.status, answer.code]).toEqual([403, 'AccessDenied']);
    expect(answer.headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/);
  });

  const day = 86_400_000;
  const refused: readonly [string, Partial<TestRequest>, number, string][] = [
    ['a wrong secret', { secretAccessKey: 'wrong' }, 403, 'SignatureDoesNotMatch'],
    ['an unknown access key', { accessKeyId: 'AKIANOBODY' }, 403, 'InvalidAccessKeyId'],
    ['another region', { region: 'eu-west-1' }, 400, 'AuthorizationHeaderMalformed'],
    ['another service', { service: 'sts' }, 400, 'AuthorizationHeaderMalformed'],
    [
      'a clock that is slow',
      { nowMs: systemClock.now() - fifteenMinutesMs - 60_000 },
      403,
      'RequestTimeTooSkewed',
    ],
    ['a clock that is a day fast', { nowMs: systemClock.now() + day }, 403, 'RequestTimeTooSkewed'],
    ['a session token', { headers: { 'x-amz-security-token': 'token' } }, 400, 'InvalidToken'],
    ['an unsigned x-amz header', { unsignedHeaders: { 'x-amz-acl': 'public-read' } }, 403, 'AccessDenied'],
    ['a repeated date', { unsignedHeaders: { 'x-amz-date': '20261122T000000Z' } }, 400, 'InvalidArgument'],
    ['an unknown payload value', { payloadHash: 'SOMETHING' }, 400, 'InvalidArgument'],
    ['signed chunks', { payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }, 501, 'NotImplemented'],
    [
      'chunks where no object is sent',
      { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      400,
      'InvalidRequest',
    ],
    ['a digest of another body', { payloadHash: '0'.repeat(64) }, 400, 'XAmzContentSHA256Mismatch'],
    ['a presigned URL beside a header', { target: '/data?X-Amz-Signature=0' }, 400, 'InvalidArgument'],
  ];
  it.each(refused)('rejects %s', async (_, request, status, code) => {
    const answer = await fixture.send({ target: '/data', ...request });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('rejects Signature V2, V4A and presigned URLs with their own codes', async () => {
    const host = { name: 'host', value: `127.0.0.1:${fixture.store.port}` };
    const answers = await Promise.all(
      [
        ['/data', 'AWS AKIADEMOSTORE:abc='],
        ['/data', 'AWS4-ECDSA-P256-SHA256 Credential=a'],
        ['/data', 'Bearer token'],
        ['/data?X-Amz-Signature=00', undefined],
      ].map(([target = '', value]) =>
        sendRaw(
          fixture.store.port,
          { method: 'GET', target, body: '' },
          value === undefined ? [host] : [host, { name: 'authorization', value }],
        ),
      ),
    );
    expect(answers.map(({ code }) => code)).toEqual([
      'InvalidRequest',
      'NotImplemented',
      'AuthorizationHeaderMalformed',
      'NotImplemented',
    ]);
  });

  it('rejects a request whose path, query or method changed after signing', async () => {
    const { port } = fixture.store;
    const base = { method: 'GET', target: '/data?prefix=a', body: '' };
    const headers = signedHeaders(port, base);
    const changes = [
      { ...base, target: '/date?prefix=a' },
      { ...base, target: '/data?prefix=b' },
      { ...base, target: '/data?prefix=a&delimiter=x' },
      { ...base, method: 'DELETE' },
    ];
    for (const change of changes) {
      const answer = await sendRaw(port, change, headers);
      expect([answer.status, answer.code]).toEqual([403, 'SignatureDoesNotMatch']);
    }
    expect((await sendRaw(port, base, headers)).status).toBe(200);
  });

  it('rejects every altered digit of the signature', async () => {
    const { port } = fixture.store;
    const base = { method: 'GET', target: '/data', body: '' };
    const headers = signedHeaders(port, base);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: 15 }), async (at, by) => {
        const altered = headers.map((field) =>
          field.name === 'authorization' ? { ...field, value: alterDigit(field.value, at, by) } : field,
        );
        expect((await sendRaw(port, base, altered)).code).toBe('SignatureDoesNotMatch');
      }),
      { numRuns: 25 },
    );
  });

  it('never shows the expected signature', async () => {
    const wrong = await fixture.send({ target: '/data', secretAccessKey: 'wrong', nowMs: 1000 * nowSeconds });
    const right = signedHeaders(fixture.store.port, { target: '/data', nowMs: 1000 * nowSeconds });
    const signature = right.find(({ name }) => name === 'authorization')?.value.split('Signature=')[1] ?? '';
    expect(signature).toHaveLength(64);
    expect(wrong.body).toContain('StringToSign');
    expect(wrong.body).not.toContain(signature);
  });

  it('tells the observer of requests it refuses, as they came', async () => {
    fixture.seen.length = 0;
    await fixture.send({ method: 'DELETE', target: '/data/a%2Fb//c?x-id=1', secretAccessKey: 'wrong' });
    expect(fixture.seen).toEqual([{ method: 'DELETE', target: '/data/a%2Fb//c?x-id=1' }]);
  });
});

const nowSeconds = Math.floor(systemClock.now() / 1000);

function alterDigit(authorization: string, at: number, by: number): string {
  const start = authorization.length - 64 + at;
  const digit = (Number.parseInt(authorization.charAt(start), 16) ^ by).toString(16);
  return authorization.slice(0, start) + digit + authorization.slice(start + 1);
}
