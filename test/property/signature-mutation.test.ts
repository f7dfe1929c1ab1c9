import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { readHeaderSignature } from '../../src/sigv4/header-signature.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { verifySignature } from '../../src/sigv4/verify.ts';
import { anyMutation, changeOneByte, meaning } from '../support/mutations.ts';
import { toRawRequest, type WireRequest } from '../support/raw-requests.ts';
import { encodePiece, signWithSmithy } from '../support/smithy-signer.ts';

const credentials = { accessKeyId: 'AKIAEXAMPLE000000001', secretAccessKey: 'secret/for+tests' };
const keys = new SigningKeyCache();
const rules = { service: 's3', payloadHash: 'required', allowsStreaming: false } as const;

const piece = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed() && !text.includes('/'));
const request = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
  path: fc
    .array(piece, { minLength: 1, maxLength: 4 })
    .map((pieces) => `/bucket/${pieces.map(encodePiece).join('/')}`),
  query: fc.dictionary(fc.constantFrom('prefix', 'delimiter', 'marker', 'max-keys'), piece, { maxKeys: 3 }),
  headers: fc.record({
    host: fc.constantFrom('localhost:9000', 'LOCALHOST', '[::1]:9000'),
    'content-type': fc.constantFrom('text/plain', 'application/octet-stream'),
    'x-amz-meta-note': fc.string({
      unit: fc.constantFrom('a', 'B', ' ', '=', ';'),
      minLength: 1,
      maxLength: 8,
    }),
  }),
});

function isAccepted(wire: WireRequest): boolean {
  const raw = toRawRequest(wire);
  if (raw === undefined) return false;
  try {
    const signed = readHeaderSignature(raw, rules);
    verifySignature(
      signed,
      new Secret(credentials.secretAccessKey),
      raw.headers.get('x-amz-content-sha256') ?? '',
      keys,
    );
    return true;
  } catch {
    return false;
  }
}

it('rejects a request in which any single byte of method, target or signed headers was changed', async () => {
  let mutations = 0;
  let equivalent = 0;
  await fc.assert(
    fc.asyncProperty(
      request,
      fc.array(anyMutation, { minLength: 10, maxLength: 20 }),
      async (toSign, changes) => {
        const wire = await signWithSmithy(toSign, credentials);
        expect(isAccepted(wire)).toBe(true);
        for (const mutation of changes) {
          const changed = changeOneByte(wire, mutation);
          mutations += 1;
          if (!isAccepted(changed)) continue;
          expect(meaning(changed)).toBe(meaning(wire));
          equivalent += 1;
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(mutations).toBeGreaterThan(4_000);
  expect(equivalent / mutations).toBeLessThan(0.01);
});
