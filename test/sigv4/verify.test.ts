import { describe, expect, it } from 'vitest';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import { Secret } from '../../src/core/secret.ts';
import { readHeaderSignature } from '../../src/sigv4/header-signature.ts';
import type { SignatureRules } from '../../src/sigv4/signed-request.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { verifySignature } from '../../src/sigv4/verify.ts';
import { testNowMs, toRawRequest, type WireRequest } from '../support/raw-requests.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';

const credentials = { accessKeyId: 'AKIAEXAMPLE000000001', secretAccessKey: 'secret/for+tests' };
const s3Rules: SignatureRules = { service: 's3', payloadHash: 'required', allowsStreaming: false };

/** The reason a request is refused, or `accepted`. */
function verdict(
  wire: WireRequest,
  secret = credentials.secretAccessKey,
  rules = s3Rules,
  nowMs = testNowMs,
): string {
  const raw = toRawRequest(wire, nowMs);
  if (raw === undefined) return 'unreadable';
  try {
    const signed = readHeaderSignature(raw, rules);
    verifySignature(
      signed,
      new Secret(secret),
      raw.headers.get('x-amz-content-sha256') ?? '',
      new SigningKeyCache(),
    );
    return 'accepted';
  } catch (error) {
    if (error instanceof AuthenticationFault) return error.reason;
    throw error;
  }
}

function get(
  path: string,
  query: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<WireRequest> {
  return signWithSmithy(
    { method: 'GET', path, query, headers: { host: 'localhost:9000', ...headers } },
    credentials,
  );
}

function replaceHeader(wire: WireRequest, name: string, value: (old: string) => string): WireRequest {
  return { ...wire, headers: wire.headers.map(([field, old]) => [field, field === name ? value(old) : old]) };
}

describe('requests signed by the AWS SDK signer', () => {
  it.each([
    ['a plain key', '/bucket/key', {}],
    ['percent-encoded UTF-8', '/bucket/%C3%A4%20b', {}],
    ['double slashes', '/bucket//a//b', {}],
    ['dot segments', '/bucket/a/./b/../c', {}],
    ['an encoded percent sign', '/bucket/100%25', {}],
    ['a plus sign in the key', '/bucket/a%2Bb', {}],
    [
      'query values with reserved characters',
      '/bucket',
      { prefix: 'a/b c+d&e=f', delimiter: '/', 'list-type': '2' },
    ],
    ['an empty query value', '/bucket', { uploads: '' }],
  ])('accepts %s', async (_, path, query: Record<string, string>) => {
    expect(verdict(await get(path, query))).toBe('accepted');
  });

  it.each(['localhost', 'LOCALHOST:9000', '[::1]:9000', 'bucket.s3.example.internal'])(
    'accepts Host %s',
    async (host) => {
      expect(verdict(await get('/bucket/key', {}, { host }))).toBe('accepted');
    },
  );

  it('accepts non-ASCII metadata, also where a UTF-8 byte looks like a space', async () => {
    expect(verdict(await get('/b/k', {}, { 'x-amz-meta-note': 'voilà été' }))).toBe('accepted');
  });

  it('accepts an authorization header without spaces after the commas', async () => {
    const wire = replaceHeader(await get('/bucket/key'), 'authorization', (old) => old.replaceAll(', ', ','));
    expect(verdict(wire)).toBe('accepted');
  });

  it('accepts repeated query values in either order', async () => {
    const wire = await get('/bucket', { prefix: 'a', delimiter: '/' });
    expect(verdict({ ...wire, target: '/bucket?prefix=a&delimiter=%2F' })).toBe('accepted');
    expect(verdict({ ...wire, target: '/bucket?delimiter=/&&prefix=a' })).toBe('accepted');
  });
});

describe('requests that are refused', () => {
  it('rejects a wrong secret and shows the string to sign but no signature', async () => {
    const wire = await get('/bucket/key');
    const raw = toRawRequest(wire);
    if (raw === undefined) throw new Error('unreadable');
    const check = (): unknown =>
      verifySignature(readHeaderSignature(raw, s3Rules), new Secret('other'), 'x', new SigningKeyCache());
    expect(check).toThrowError(expect.objectContaining({ reason: 'signature_mismatch' }));
    expect(verdict(wire, 'other')).toBe('signature_mismatch');
  });

  it.each([
    [
      'a foreign service',
      'authorization',
      (old: string) => old.replace('/s3/', '/sts/'),
      'malformed_authorization',
    ],
    [
      'six scope fields',
      'authorization',
      (old: string) => old.replace('/s3/', '/s3/x/'),
      'malformed_authorization',
    ],
    [
      'an impossible scope date',
      'authorization',
      (old: string) => old.replace('20261122/', '20261345/'),
      'malformed_authorization',
    ],
    [
      'a scope date of another day',
      'authorization',
      (old: string) => old.replace('20261122/', '20261121/'),
      'scope_date_mismatch',
    ],
    [
      'an empty signed header name',
      'authorization',
      (old: string) => old.replace('host;', 'host;;'),
      'malformed_authorization',
    ],
    [
      'a repeated signed header name',
      'authorization',
      (old: string) => old.replace('host;', 'host;host;'),
      'malformed_authorization',
    ],
    ['a short signature', 'authorization', (old: string) => old.slice(0, -1), 'malformed_authorization'],
    ['a fourth part', 'authorization', (old: string) => `${old}, Extra=1`, 'malformed_authorization'],
    [
      'another region',
      'authorization',
      (old: string) => old.replace('us-east-1', 'eu-west-1'),
      'signature_mismatch',
    ],
    ['a broken date', 'x-amz-date', () => '2026-11-22', 'date_missing'],
    ['an unknown payload value', 'x-amz-content-sha256', () => 'NONE', 'payload_hash_invalid'],
    [
      'a streaming value on a read',
      'x-amz-content-sha256',
      () => 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'streaming_not_allowed',
    ],
  ])('rejects %s', async (_, name, change, reason) => {
    expect(verdict(replaceHeader(await get('/bucket/key'), name, change))).toBe(reason);
  });

  it.each(['authorization', 'host', 'x-amz-date', 'x-amz-content-sha256', 'content-type'])(
    'rejects a repeated %s header',
    async (name) => {
      const wire = await get('/bucket/key', {}, { 'content-type': 'text/plain' });
      const repeated = wire.headers.filter(([field]) => field === name);
      expect(verdict({ ...wire, headers: [...wire.headers, ...repeated] })).toBe('duplicate_header');
    },
  );

  it('rejects a request without x-amz-content-sha256', async () => {
    const wire = await get('/bucket/key');
    const headers = wire.headers.filter(([name]) => name !== 'x-amz-content-sha256');
    expect(verdict({ ...wire, headers })).toBe('payload_hash_missing');
  });

  it.each([
    ['x-amz-acl', 'public-read'],
    ['x-amz-copy-source', '/other/secret'],
    ['X-Amz-Meta-Injected', '1'],
    ['x-amz-security-token', 'foreign'],
  ])('rejects an unsigned %s header that arrived with a signed request', async (name, value) => {
    const wire = await get('/bucket/key');
    expect(verdict({ ...wire, headers: [...wire.headers, [name, value]] })).toBe('headers_not_signed');
  });

  it('accepts a skew of 15 minutes and rejects one second more, both ways', async () => {
    const wire = await get('/bucket/key');
    for (const sign of [1, -1]) {
      expect(verdict(wire, undefined, s3Rules, testNowMs + sign * 900_000)).toBe('accepted');
      expect(verdict(wire, undefined, s3Rules, testNowMs + sign * 901_000)).toBe('clock_skew');
    }
  });

  it('rejects an absolute-form target and NUL', async () => {
    const wire = await get('/bucket/key');
    expect(verdict({ ...wire, target: 'http://localhost:9000/bucket/key' })).toBe('unreadable');
    expect(verdict({ ...wire, target: '/bucket/key?prefix=%00' })).toBe('unreadable');
  });
});
