import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireSignature } from '../../src/authenticate/scheme.ts';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import { Secret } from '../../src/core/secret.ts';
import { readPresignedQuery } from '../../src/sigv4/presigned-query.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { verifySignature } from '../../src/sigv4/verify.ts';
import { anyMutation, changeOneByte, meaning } from '../support/mutations.ts';
import { testNowMs, toRawRequest, type WireRequest } from '../support/raw-requests.ts';
import { encodePiece, presignWithSmithy } from '../support/smithy-signer.ts';

const credentials = {
  accessKeyId: 'ASIAEXAMPLE000000001',
  secretAccessKey: 'secret/for+tests',
  sessionToken: 'a+token/with=signs',
};
const keys = new SigningKeyCache();

/** The reason a presigned request is refused, or `accepted`. */
function verdict(wire: WireRequest, nowMs = testNowMs): string {
  const raw = toRawRequest(wire, nowMs);
  if (raw === undefined) return 'unreadable';
  try {
    requireSignature(raw);
    const signed = readPresignedQuery(raw, { service: 's3', payloadHash: 'required', allowsStreaming: true });
    verifySignature(signed, new Secret(credentials.secretAccessKey), signed.payloadHash ?? '', keys);
    return 'accepted';
  } catch (error) {
    if (error instanceof AuthenticationFault) return error.reason;
    throw error;
  }
}

const presign = (
  headers: Record<string, string> = {},
  options: Parameters<typeof presignWithSmithy>[2] = {},
  query: Record<string, string> = {},
): Promise<WireRequest> =>
  presignWithSmithy(
    { method: 'GET', path: '/data/key', query, headers: { host: 'localhost:9000', ...headers } },
    credentials,
    options,
  );

const edit = (wire: WireRequest, change: (target: string) => string): WireRequest => ({
  ...wire,
  target: change(wire.target),
});

describe('a presigned request', () => {
  it('signed by the AWS SDK is accepted', async () => {
    expect(verdict(await presign())).toBe('accepted');
    expect(verdict(await presign({ 'x-amz-meta-a': 'b c' }))).toBe('accepted');
    expect(verdict(await presign({}, {}, { 'response-content-type': 'text/plain; a=b' }))).toBe('accepted');
    expect(verdict(await presign({ 'content-type': 'text/plain' }))).toBe('accepted');
  });

  it('is valid for as long as it says, from its own time on', async () => {
    const wire = await presign({}, { expiresIn: 604_800 });
    expect(verdict(wire, testNowMs + 604_799_000)).toBe('accepted');
    expect(verdict(wire, testNowMs + 604_800_000)).toBe('presigned_expired');
    expect(verdict(wire, testNowMs - 900_000)).toBe('accepted');
    expect(verdict(wire, testNowMs - 901_000)).toBe('presigned_not_yet_valid');
    const short = await presign({}, { expiresIn: 1 });
    expect(verdict(short, testNowMs + 999)).toBe('accepted');
    expect(verdict(short, testNowMs + 1000)).toBe('presigned_expired');
  });

  it.each<[string, (target: string) => string, string]>([
    ['a lifetime of nothing', (t) => t.replace('Expires=900', 'Expires=0'), 'malformed_presigned'],
    ['a negative lifetime', (t) => t.replace('Expires=900', 'Expires=-1'), 'malformed_presigned'],
    ['more than a week', (t) => t.replace('Expires=900', 'Expires=604801'), 'malformed_presigned'],
    ['a lifetime in hex', (t) => t.replace('Expires=900', 'Expires=0x10'), 'malformed_presigned'],
    ['a fraction of a second', (t) => t.replace('Expires=900', 'Expires=1.5'), 'malformed_presigned'],
    ['no lifetime', (t) => t.replace('&X-Amz-Expires=900', ''), 'malformed_presigned'],
    ['no signature', (t) => t.replace(/&X-Amz-Signature=\w+/, ''), 'malformed_presigned'],
    ['an empty signature', (t) => t.replace(/(Signature=)\w+/, '$1'), 'malformed_presigned'],
    [
      'a signature in capitals',
      (t) => t.replace(/Signature=\w+/, (s) => s.toUpperCase()),
      'malformed_presigned',
    ],
    ['no credential', (t) => t.replace(/&X-Amz-Credential=[^&]+/, ''), 'malformed_presigned'],
    ['a credential for another service', (t) => t.replace('%2Fs3%2F', '%2Fsts%2F'), 'malformed_presigned'],
    [
      'a credential of another day',
      (t) => t.replace('%2F20261122%2F', '%2F20261121%2F'),
      'malformed_presigned',
    ],
    ['no date', (t) => t.replace(/&X-Amz-Date=\w+/, ''), 'malformed_presigned'],
    ['a date that does not exist', (t) => t.replace('20261122T', '20261132T'), 'malformed_presigned'],
    ['another algorithm', (t) => t.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'), 'malformed_presigned'],
    ['Signature V4A', (t) => t.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'), 'signature_v4a'],
    ['a parameter twice', (t) => `${t}&X-Amz-Expires=900`, 'malformed_presigned'],
    ['the token twice', (t) => `${t}&X-Amz-Security-Token=x`, 'malformed_presigned'],
    [
      'a second signature in another letter case',
      (t) => `${t}&x-amz-signature=${'0'.repeat(64)}`,
      'malformed_presigned',
    ],
    [
      'a parameter spelled otherwise',
      (t) => t.replace('X-Amz-Expires', 'x-amz-expires'),
      'malformed_presigned',
    ],
    ['a payload hash twice', (t) => `${t}&x-amz-content-sha256=UNSIGNED-PAYLOAD`, 'malformed_presigned'],
    [
      'an unsigned host',
      (t) => t.replace('SignedHeaders=host', 'SignedHeaders=accept'),
      'headers_not_signed',
    ],
    [
      'a streaming payload',
      (t) => t.replace('UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'),
      'streaming_not_allowed',
    ],
    ['an invented payload hash', (t) => t.replace('UNSIGNED-PAYLOAD', 'x'), 'payload_hash_invalid'],
    ['a parameter that is not signed', (t) => `${t}&versionId=1`, 'signature_mismatch'],
    ['a header in the query that is not signed', (t) => `${t}&x-amz-acl=public-read`, 'signature_mismatch'],
    ['another token', (t) => t.replace('Token=a%2B', 'Token=b%2B'), 'signature_mismatch'],
    ['a longer lifetime', (t) => t.replace('Expires=900', 'Expires=901'), 'signature_mismatch'],
    ['V2 parameters as well', (t) => `${t}&AWSAccessKeyId=a`, 'several_credentials'],
  ])('with %s is refused', async (_, change, reason) => {
    const wire = await presign();
    const changed = edit(wire, change);
    expect(changed.target).not.toBe(wire.target);
    expect(verdict(changed)).toBe(reason);
  });

  it.each<[string, [string, string], string]>([
    ['an unsigned header of AWS', ['x-amz-acl', 'public-read'], 'headers_not_signed'],
    ['an unsigned copy source', ['x-amz-copy-source', '/data/secret'], 'headers_not_signed'],
    ['an authorization header', ['authorization', 'AWS4-HMAC-SHA256 Credential=x'], 'several_credentials'],
    ['a foreign authorization header', ['authorization', 'Bearer x'], 'several_credentials'],
    ['another host', ['host', 'elsewhere:9000'], 'duplicate_header'],
  ])('with %s added is refused', async (_, header, reason) => {
    const wire = await presign();
    expect(verdict({ ...wire, headers: [...wire.headers, header] })).toBe(reason);
  });

  it('with a token in a signed header is refused: it belongs in the query', async () => {
    const wire = await presign({ 'x-amz-security-token': 'x' }, { unhoistable: ['x-amz-security-token'] });
    expect(verdict(wire)).toBe('malformed_presigned');
  });

  it('must not give its payload hash in the query beside a signed header', async () => {
    const hash = 'x-amz-content-sha256';
    const twice = await presign({ [hash]: 'UNSIGNED-PAYLOAD' }, { unhoistable: [hash] });
    expect(twice.headers.map(([name]) => name)).toContain(hash);
    expect(verdict(twice)).toBe('accepted');
    const both = edit(twice, (target) => `${target}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD`);
    expect(verdict(both)).toBe('signature_mismatch');
    const other = edit(twice, (target) => `${target}&X-Amz-Content-Sha256=${'a'.repeat(64)}`);
    expect(verdict(other)).toBe('malformed_presigned');
  });

  it('shows no token when its signature is wrong', async () => {
    const raw = toRawRequest(edit(await presign(), (t) => `${t}&versionId=1`));
    if (raw === undefined) throw new Error('unreadable');
    const signed = readPresignedQuery(raw, {
      service: 's3',
      payloadHash: 'required',
      allowsStreaming: false,
    });
    let shown = '';
    try {
      verifySignature(signed, new Secret('x'), 'UNSIGNED-PAYLOAD', keys);
    } catch (error) {
      if (error instanceof AuthenticationFault) shown = error.facts.canonicalRequest ?? '';
    }
    expect(shown).toContain('X-Amz-Security-Token=[redacted]');
    expect(shown).not.toContain(encodePiece(credentials.sessionToken));
  });
});

describe('what a presigned request asks for', () => {
  const asked = async (...args: Parameters<typeof presign>) => {
    const raw = toRawRequest(await presign(...args));
    if (raw === undefined) throw new Error('unreadable');
    return requireSignature(raw).request;
  };

  it('has the headers that were hoisted into the query, and no trace of the signature', async () => {
    const request = await asked(
      { 'x-amz-meta-note': 'voilà', 'x-amz-acl': 'private' },
      {},
      { versionId: '3' },
    );
    expect(request.parameters.map(({ name }) => name)).toEqual(['versionId']);
    expect(request.headers.get('x-amz-acl')).toBe('private');
    expect(Buffer.from(request.headers.get('x-amz-meta-note') ?? '', 'latin1').toString('utf8')).toBe(
      'voilà',
    );
    expect(request.headers.has('x-amz-security-token')).toBe(false);
    expect(request.headers.has('x-amz-content-sha256')).toBe(false);
  });

  it.each(['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'md5', 'sha512', 'xxhash64'])(
    'has no checksum of a body that its signer did not have: %s',
    async (algorithm) => {
      const request = await asked({
        [`x-amz-checksum-${algorithm}`]: 'AAAAAA==',
        'x-amz-sdk-checksum-algorithm': algorithm.toUpperCase(),
        'x-amz-checksum-mode': 'ENABLED',
        'x-amz-checksum-type': 'FULL_OBJECT',
        'x-amz-checksum-algorithm': 'CRC32',
      });
      expect(request.parameters).toEqual([]);
      expect([...request.headers].map(({ name }) => name).sort()).toEqual([
        'host',
        'x-amz-checksum-algorithm',
        'x-amz-checksum-mode',
        'x-amz-checksum-type',
      ]);
    },
  );

  it('has the checksum that is in a signed header', async () => {
    const name = 'x-amz-checksum-crc32';
    const request = await asked({ [name]: 'AAAAAA==' }, { unhoistable: [name] });
    expect(request.headers.get(name)).toBe('AAAAAA==');
  });

  it.each<[string, string, [string, string][]]>([
    ['hoisted and sent as well', 'x-amz-acl=private', [['x-amz-acl', 'public-read']]],
    ['moved twice', 'x-amz-acl=private&X-Amz-Acl=public-read', []],
    ['with a line break in it', 'x-amz-meta-a=b%0D%0Ax-amz-acl:public-read', []],
    ['with an invalid name', 'x-amz-meta-a%3A%20b=c', []],
    ['with a line break in its name', 'x-amz-meta-a%0D%0Ab=c', []],
  ])('cannot have a header %s', (_, query, headers) => {
    const raw = toRawRequest({ method: 'GET', target: `/b/k?X-Amz-Signature=0&${query}`, headers });
    if (raw === undefined) throw new Error('unreadable');
    expect(() => requireSignature(raw)).toThrowError(expect.objectContaining({ reason: 'duplicate_header' }));
  });
});

it('rejects a presigned request in which any single byte was changed', async () => {
  let mutations = 0;
  let equivalent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyMutation, { minLength: 20, maxLength: 40 }), async (changes) => {
      const wire = await presign({ 'content-type': 'text/plain', 'x-amz-meta-a': 'b' });
      for (const change of changes) {
        const changed = changeOneByte(wire, change);
        mutations += 1;
        if (verdict(changed) !== 'accepted') continue;
        expect(meaning(changed)).toBe(meaning(wire));
        equivalent += 1;
      }
    }),
    { numRuns: 100 },
  );
  expect(mutations).toBeGreaterThan(2000);
  expect(equivalent / mutations).toBeLessThan(0.02);
});
