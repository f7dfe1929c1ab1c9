import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { readSignedRequest, verifySignature } from '../../src/sigv4/verify.ts';
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
    const signed = readSignedRequest(raw, rules);
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

/** What an independent reader of the request would sign; equal values mean the change has no meaning. */
function meaning({ method, target, headers }: WireRequest): string {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      return `malformed ${text}`;
    }
  };
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0
        ? [decode(pair), '']
        : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    })
    .sort(([left = ''], [right = '']) => (left < right ? -1 : 1));
  const fields = headers.map(([name, value]) => [
    name.toLowerCase(),
    value.trim().replaceAll(/[ \t]+/g, ' '),
  ]);
  return JSON.stringify([
    method,
    path.split('/').map((part) => decode(part.replaceAll('+', '%2B'))),
    pairs,
    fields,
  ]);
}

function mutate(text: string, position: number, replacement: number): string {
  const index = position % text.length;
  const old = text.charCodeAt(index);
  const changed = old === replacement ? (replacement === 0x7e ? 0x21 : replacement + 1) : replacement;
  return text.slice(0, index) + String.fromCharCode(changed) + text.slice(index + 1);
}

function change(wire: WireRequest, part: string, position: number, replacement: number): WireRequest {
  if (part === 'method') return { ...wire, method: mutate(wire.method, position, replacement) };
  if (part === 'target') return { ...wire, target: mutate(wire.target, position, replacement) };
  const signed = wire.headers.filter(([name, value]) => name !== 'authorization' && value !== '');
  const chosen = signed[position % signed.length];
  if (chosen === undefined) throw new Error('no signed headers');
  const changed: [string, string] =
    part === 'header name'
      ? [mutate(chosen[0], position, replacement), chosen[1]]
      : [chosen[0], mutate(chosen[1], position, replacement)];
  return { ...wire, headers: wire.headers.map((field) => (field === chosen ? changed : field)) };
}

it('rejects a request in which any single byte of method, target or signed headers was changed', async () => {
  let mutations = 0;
  let equivalent = 0;
  await fc.assert(
    fc.asyncProperty(
      request,
      fc.array(
        fc.record({
          part: fc.constantFrom('method', 'target', 'target', 'header name', 'header value'),
          position: fc.nat(10_000),
          replacement: fc.integer({ min: 0x20, max: 0x7e }),
        }),
        { minLength: 10, maxLength: 20 },
      ),
      async (toSign, changes) => {
        const wire = await signWithSmithy(toSign, credentials);
        expect(isAccepted(wire)).toBe(true);
        for (const { part, position, replacement } of changes) {
          const changed = change(wire, part, position, replacement);
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
