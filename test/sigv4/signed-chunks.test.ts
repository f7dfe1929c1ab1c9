import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BodyFault } from '../../src/core/body-fault.ts';
import { Secret } from '../../src/core/secret.ts';
import { startChecksum } from '../../src/sigv4/checksum.ts';
import { ChunkDecoder } from '../../src/sigv4/chunk-decoder.ts';
import { type ChunkSeed, ChunkSignatures } from '../../src/sigv4/chunk-signatures.ts';
import { parseBasicDateTime } from '../../src/sigv4/credential-scope.ts';
import { readHeaderSignature } from '../../src/sigv4/header-signature.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { verifySignature } from '../../src/sigv4/verify.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import {
  type ClientTrailer,
  cutInto,
  joinParts,
  type SignedPart,
  signedParts,
} from '../support/signed-chunks.ts';
import documented from '../vectors/sigv4/chunked-uploads.json' with { type: 'json' };

const rules = { service: 's3', payloadHash: 'required', allowsStreaming: true } as const;

/** What the chain begins with, as the program finds it: by verifying the signature of the request. */
function verifiedSeed(example: (typeof documented.examples)[number]): ChunkSeed {
  const { accessKeyId, secretAccessKey, timestamp, region, method, target } = documented;
  const names = Object.keys(example.headers).sort().join(';');
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${names},Signature=${example.seedSignature}`;
  const headers = [...Object.entries(example.headers), ['authorization', authorization] as const];
  const raw = toRawRequest({ method, target, headers }, parseBasicDateTime(timestamp));
  if (raw === undefined) throw new Error('the example cannot be read');
  const signed = readHeaderSignature(raw, rules);
  return verifySignature(
    signed,
    new Secret(secretAccessKey),
    signed.payloadHash ?? '',
    new SigningKeyCache(),
  );
}

/** What a decoder makes of a signed body that arrives in pieces of at most `step` bytes. */
function decode(wire: Buffer, seed: ChunkSeed, length: number, step = wire.length): string {
  const decoder = new ChunkDecoder(length, new ChunkSignatures(seed));
  const data: Buffer[] = [];
  try {
    for (let index = 0; index < wire.length; index += step)
      data.push(...decoder.push(wire.subarray(index, index + step)));
    const fields = [...decoder.end()].map(([name, value]) => `|${name}=${value}`).join('');
    return Buffer.concat(data).toString('latin1') + fields;
  } catch (error) {
    if (error instanceof BodyFault) return error.reason;
    throw error;
  }
}

const [withoutTrailer, withTrailer] = documented.examples;
if (withoutTrailer === undefined || withTrailer === undefined) throw new Error('an example is missing');

describe.each(documented.examples)('the documented example of $name', (example) => {
  const seed = verifiedSeed(example);
  const { byte, length } = documented.data;
  const chunks = cutInto(Buffer.alloc(length, byte), 65_536);
  const { trailer } = example;
  const parts = signedParts(chunks, { ...documented, signature: example.seedSignature }, trailer);

  it('has the signatures that a client makes', () => {
    const signatures = [...example.chunks, ...(trailer === undefined ? [] : [trailer])];
    expect(parts.map(({ signature }) => signature)).toEqual(signatures.map(({ signature }) => signature));
  });

  it.each([1, 1000, 65_537, 1_000_000])('is read in pieces of %i bytes', (step) => {
    const fields = trailer === undefined ? '' : `|${trailer.name}=${trailer.value}`;
    expect(decode(joinParts(parts), seed, length, step)).toBe(byte.repeat(length) + fields);
  });
});

const seed = verifiedSeed(withTrailer);
const clientSeed = { ...documented, signature: withTrailer.seedSignature };
const data = randomBytes(20_000);
const trailer: ClientTrailer = { name: 'x-amz-checksum-crc32', value: checksumOf(data) };
const parts = signedParts(cutInto(data, 8192), clientSeed, trailer);
const wire = joinParts(parts);
const right = `${data.toString('latin1')}|x-amz-checksum-crc32=${trailer.value}`;

function checksumOf(bytes: Buffer): string {
  const checksum = startChecksum('crc32');
  checksum.update(bytes);
  return checksum.digest().toString('base64');
}

/** The parts with one of them changed. */
function changed(index: number, change: (part: SignedPart) => Partial<SignedPart>): Buffer {
  return joinParts(parts.map((part, at) => (at === index ? { ...part, ...change(part) } : part)));
}

const otherHex = (signature: string): string => (signature.startsWith('0') ? '1' : '0') + signature.slice(1);

describe('a body in signed chunks', () => {
  it('is read', () => {
    expect(decode(wire, seed, data.length)).toBe(right);
  });

  it('may have signatures and sizes in upper case', () => {
    const upper = signedParts(cutInto(data, 10_011), clientSeed, trailer).map(
      ({ before, signature, after }) => ({
        before: Buffer.from(before.toString().replace(/^271b;/, '271B;')),
        signature: signature.toUpperCase(),
        after,
      }),
    );
    expect(upper[0]?.before.toString()).toMatch(/^271B;/);
    expect(decode(joinParts(upper), seed, data.length)).toBe(right);
  });

  it('may end without its last line end', () => {
    expect(decode(wire.subarray(0, -2), seed, data.length)).toBe(right);
  });

  it('may have a trailer as minio-go writes it', () => {
    const minio = signedParts(cutInto(data, 8192), clientSeed, { ...trailer, lineEnd: '\n\r\n' });
    expect(decode(joinParts(minio), seed, data.length)).toBe(right);
    expect(decode(joinParts(minio), seed, data.length, 1)).toBe(right);
  });

  it.each(parts.map((_, index) => index))('is refused when signature %i is another one', (index) => {
    const wrong = changed(index, ({ signature }) => ({ signature: otherHex(signature) }));
    expect(decode(wrong, seed, data.length)).toBe('chunk_signature_mismatch');
    expect(decode(wrong, seed, data.length, 1)).toBe('chunk_signature_mismatch');
  });

  it.each(parts.map((_, index) => index))('is refused when signature %i is none', (index) => {
    for (const signature of ['', '0', 'g'.repeat(64), `${'0'.repeat(64)}0`])
      expect(
        decode(
          changed(index, () => ({ signature })),
          seed,
          data.length,
        ),
      ).toBe('chunk_signature_mismatch');
  });

  it('is refused when two chunks are exchanged, repeated or left out', () => {
    const [first, second, ...rest] = parts;
    if (first === undefined || second === undefined) throw new Error('two chunks are needed');
    const refused = (changedParts: SignedPart[]): string =>
      decode(joinParts(changedParts), seed, data.length);
    expect(refused([second, first, ...rest])).toBe('chunk_signature_mismatch');
    expect(refused([first, first, ...rest])).toBe('chunk_signature_mismatch');
    expect(refused([second, ...rest])).toBe('chunk_signature_mismatch');
  });

  it('is refused when it begins with the signature of another request', () => {
    expect(decode(wire, { ...seed, signature: otherHex(seed.signature) }, data.length)).toBe(
      'chunk_signature_mismatch',
    );
    expect(decode(wire, { ...seed, timestamp: '20130524T000001Z' }, data.length)).toBe(
      'chunk_signature_mismatch',
    );
  });

  it('is refused when any single byte is changed', () => {
    for (let index = 0; index < wire.length; index += index < 200 || index > wire.length - 400 ? 1 : 37) {
      const other = Buffer.from(wire);
      other[index] = (other[index] ?? 0) ^ 0x01;
      expect(decode(other, seed, data.length), `byte ${index}`).toMatch(/^(chunk|trailer)_|^incomplete$/);
    }
  });

  it.each<[string, Buffer, string]>([
    ['has a chunk without a signature', Buffer.from('5\r\nhello\r\n'), 'chunk_signature_mismatch'],
    ['has another extension', Buffer.from(`5;x=${'0'.repeat(64)}\r\nhello\r\n`), 'chunk_malformed'],
    ['has a negative size', Buffer.from(`-5;chunk-signature=${'0'.repeat(64)}\r\n`), 'chunk_malformed'],
    ['has an endless header', Buffer.from(`5;chunk-signature=${'0'.repeat(2000)}`), 'chunk_malformed'],
    ['ends in the middle of a chunk', wire.subarray(0, 5000), 'incomplete'],
    ['ends before the last chunk', joinParts(parts.slice(0, -2)), 'incomplete'],
    ['ends in the middle of the trailer', wire.subarray(0, -40), 'incomplete'],
    ['has more after its end', Buffer.concat([wire, Buffer.from('\r\n')]), 'chunk_malformed'],
  ])('that %s is refused', (_, bytes, reason) => {
    expect(decode(bytes, seed, data.length)).toBe(reason);
    expect(decode(bytes, seed, data.length, 1)).toBe(reason);
  });

  it.each([data.length - 1, data.length + 1])('is refused when %i bytes were declared', (declared) => {
    expect(decode(wire, seed, declared)).toBe('incomplete');
  });

  it('is refused when an inner chunk is small, whatever its signature', () => {
    const small = signedParts([data.subarray(0, 8191), data.subarray(8191)], clientSeed, trailer);
    expect(decode(joinParts(small), seed, data.length)).toBe('chunk_too_small');
  });

  const line = `x-amz-checksum-crc32:${trailer.value}`;
  const chunksOnly = joinParts(parts.slice(0, -1)).toString('latin1');
  const signature = parts.at(-1)?.signature ?? '';
  it.each<[string, string, string]>([
    ['is not signed', `${line}\r\n\r\n`, 'trailer_malformed'],
    ['is not signed and ends early', `${line}\r\n`, 'trailer_malformed'],
    [
      'comes after its signature',
      `x-amz-trailer-signature:${signature}\r\n${line}\r\n\r\n`,
      'trailer_malformed',
    ],
    [
      'has a field after its signature',
      `${line}\r\nx-amz-trailer-signature:${signature}\r\na:b\r\n\r\n`,
      'trailer_malformed',
    ],
    [
      'is signed twice',
      `${line}\r\nx-amz-trailer-signature:${signature}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`,
      'trailer_malformed',
    ],
    ['is nothing but a signature', `x-amz-trailer-signature:${signature}\r\n\r\n`, 'trailer_malformed'],
    [
      'has one more field than was signed',
      `${line}\r\na:b\r\nx-amz-trailer-signature:${signature}\r\n\r\n`,
      'chunk_signature_mismatch',
    ],
    [
      'is another one',
      `${line.replace(':', ':A')}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`,
      'chunk_signature_mismatch',
    ],
    [
      'ends with a bare line feed',
      `${line}\nx-amz-trailer-signature:${signature}\r\n\r\n`,
      'trailer_malformed',
    ],
    ['ends after the line feed of minio-go', `${line}\n\r\n`, 'trailer_malformed'],
  ])('is refused when its trailer %s', (_, text, reason) => {
    const bytes = Buffer.from(chunksOnly + text, 'latin1');
    expect(decode(bytes, seed, data.length)).toBe(reason);
    expect(decode(bytes, seed, data.length, 1)).toBe(reason);
  });
});
