import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyFault } from '../../src/core/body-fault.ts';
import { HeaderList } from '../../src/core/header-list.ts';
import { startChecksum } from '../../src/sigv4/checksum.ts';
import { readAnnouncedTrailer, verifyTrailer } from '../../src/sigv4/checksum-trailer.ts';
import { ChunkDecoder } from '../../src/sigv4/chunk-decoder.ts';
import { ChunkEncoder } from '../../src/sigv4/chunk-encoder.ts';

/** What a decoder makes of a body that arrives in pieces of at most `step` bytes. */
function decode(wire: string | Buffer, length: number, step = Number.POSITIVE_INFINITY): string {
  const bytes = Buffer.isBuffer(wire) ? wire : Buffer.from(wire, 'latin1');
  const decoder = new ChunkDecoder(length);
  const data: Buffer[] = [];
  try {
    for (let index = 0; index < bytes.length; index += step) {
      data.push(...decoder.push(bytes.subarray(index, index + step)));
      if (step === Number.POSITIVE_INFINITY) break;
    }
    const trailers = [...decoder.end()].map(([name, value]) => `|${name}=${value}`).join('');
    return Buffer.concat(data).toString('latin1') + trailers;
  } catch (error) {
    if (error instanceof BodyFault) return error.reason;
    throw error;
  }
}

describe('a chunked body', () => {
  it.each([
    ['of one chunk', '3\r\nabc\r\n0\r\nx-t:v\r\n\r\n', 3, 'abc|x-t=v'],
    ['with a size in upper case and leading zeros', '00A\r\n0123456789\r\n0\r\n\r\n', 10, '0123456789'],
    ['of no data', '0\r\nx-t:v\r\n\r\n', 0, '|x-t=v'],
    ['without its last line end', '3\r\nabc\r\n0\r\nx-t:v\r\n', 3, 'abc|x-t=v'],
    ['without a trailer and without its last line end', '3\r\nabc\r\n0\r\n', 3, 'abc'],
    ['with data that looks like framing', '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n', 7, '\r\n0\r\n\r\n'],
    ['with a trailer in capitals and spaces', '0\r\nX-T:  v \r\n\r\n', 0, '|x-t=v'],
  ])('%s is read, also one byte at a time', (_, wire, length, expected) => {
    expect(decode(wire, length)).toBe(expected);
    expect(decode(wire, length, 1)).toBe(expected);
  });

  it.each([
    ['a negative size', '-3\r\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['a size with a sign', '+3\r\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['a size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['a size with spaces', ' 3\r\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['no size', '\r\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['a size that is not a number', 'xyz\r\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['a size beyond counting', `${'f'.repeat(32)}\r\nabc`, 3, 'chunk_malformed'],
    ['a huge size', '7fffffffff\r\nabc', 3, 'incomplete'],
    ['a chunk signature', `3;chunk-signature=${'0'.repeat(64)}\r\nabc\r\n0\r\n\r\n`, 3, 'chunk_malformed'],
    ['a bare line feed after the size', '3\nabc\r\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['a bare line feed after the data', '3\r\nabc\n0\r\n\r\n', 3, 'chunk_malformed'],
    ['no line end after the data', '3\r\nabc0\r\n\r\n', 3, 'chunk_malformed'],
    ['an endless size line', `3${' '.repeat(2000)}`, 3, 'chunk_malformed'],
    ['more data than declared', '3\r\nabc\r\n0\r\n\r\n', 2, 'incomplete'],
    ['less data than declared', '3\r\nabc\r\n0\r\n\r\n', 4, 'incomplete'],
    ['an end inside the data', '3\r\nab', 3, 'incomplete'],
    ['an end before the last chunk', '3\r\nabc\r\n', 3, 'incomplete'],
    ['an end inside the trailer', '0\r\nx-t:v', 0, 'incomplete'],
    ['nothing at all', '', 0, 'incomplete'],
    ['bytes after its end', '0\r\n\r\nGET / HTTP/1.1\r\n', 0, 'chunk_malformed'],
    ['a trailer without a colon', '0\r\nx-t\r\n\r\n', 0, 'trailer_malformed'],
    ['a trailer without a name', '0\r\n:v\r\n\r\n', 0, 'trailer_malformed'],
    ['a folded trailer', '0\r\nx-t:v\r\n w\r\n\r\n', 0, 'trailer_malformed'],
    ['a trailer twice', '0\r\nx-t:v\r\nX-T:v\r\n\r\n', 0, 'trailer_malformed'],
    ['a trailer with a bare line feed', '0\r\nx-t:v\n\r\n', 0, 'trailer_malformed'],
    ['an endless trailer', `0\r\nx-t:v\r\nx-u:${'v'.repeat(5000)}`, 0, 'trailer_malformed'],
  ])('with %s is refused', (_, wire, length, reason) => {
    expect(decode(wire, length)).toBe(reason);
    expect(decode(wire, length, 1)).toBe(reason);
  });

  it('may be small in its last chunk only', () => {
    const chunk = (size: number): string => `${size.toString(16)}\r\n${'a'.repeat(size)}\r\n`;
    const end = '0\r\n\r\n';
    expect(decode(chunk(8192) + chunk(1) + end, 8193)).toHaveLength(8193);
    expect(decode(chunk(8191) + chunk(8192) + end, 16_383)).toBe('chunk_too_small');
    expect(decode(chunk(1) + chunk(1) + end, 2)).toBe('chunk_too_small');
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 200_000])('of %i bytes written here is read as it was', (size) => {
    const data = randomBytes(size);
    const trailer = { name: 'x-amz-checksum-crc32', algorithm: 'crc32' } as const;
    const encoder = new ChunkEncoder(size, trailer);
    const wire: Buffer[] = [];
    for (let index = 0; index < size; index += 10_000) {
      wire.push(...encoder.frame(data.subarray(index, index + 10_000)));
    }
    wire.push(encoder.end('AAAAAA=='));
    const bytes = Buffer.concat(wire);
    expect(bytes.length).toBe(encoder.wireLength);
    expect(decode(bytes, size, 7000)).toBe(`${data.toString('latin1')}|x-amz-checksum-crc32=AAAAAA==`);
  });

  it('never gives more than was declared, whatever arrives', () => {
    const piece = fc.oneof(
      fc.constantFrom('0\r\n', '3\r\nabc\r\n', '\r\n', '2000\r\n', 'a'.repeat(8192), 'x-t:v\r\n'),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(9000), (pieces, declared) => {
        const decoder = new ChunkDecoder(declared);
        let given = 0;
        try {
          for (const text of pieces) {
            for (const data of decoder.push(Buffer.from(text, 'latin1'))) given += data.length;
          }
          decoder.end();
          expect(given).toBe(declared);
        } catch (error) {
          expect(error).toBeInstanceOf(BodyFault);
        }
        expect(given).toBeLessThanOrEqual(declared);
      }),
    );
  });
});

describe('a checksum trailer', () => {
  const announced = (...fields: [string, string][]): string => {
    try {
      return readAnnouncedTrailer(new HeaderList(fields.map(([name, value]) => ({ name, value })))).algorithm;
    } catch (error) {
      if (error instanceof BodyFault) return error.reason;
      throw error;
    }
  };

  it('is announced by its name', () => {
    expect(announced(['x-amz-trailer', 'X-Amz-Checksum-Crc64nvme'])).toBe('crc64nvme');
  });

  it.each<[string, [string, string][], string]>([
    ['is not announced', [], 'trailer_malformed'],
    ['is announced as nothing', [['x-amz-trailer', '']], 'trailer_malformed'],
    ['is not a checksum', [['x-amz-trailer', 'x-amz-meta-a']], 'trailer_unsupported'],
    ['is one of two', [['x-amz-trailer', 'x-amz-checksum-crc32,x-amz-checksum-sha1']], 'trailer_unsupported'],
    [
      'is announced twice',
      [
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
      ],
      'trailer_unsupported',
    ],
    [
      'comes beside a header',
      [
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
        ['x-amz-checksum-sha1', 'x'],
      ],
      'trailer_unsupported',
    ],
  ])('that %s is refused', (_, fields, reason) => {
    expect(announced(...fields)).toBe(reason);
  });

  const trailer = { name: 'x-amz-checksum-crc32', algorithm: 'crc32' } as const;
  const computed = startChecksum('crc32');
  computed.update(Buffer.from('123456789'));
  const crc = computed.digest();
  const verdict = (fields: Record<string, string>): string => {
    try {
      verifyTrailer(trailer, new Map(Object.entries(fields)), crc);
      return 'right';
    } catch (error) {
      if (error instanceof BodyFault) return error.reason;
      throw error;
    }
  };

  it('is right when it is the checksum', () => {
    expect(verdict({ 'x-amz-checksum-crc32': 'y/Q5Jg==' })).toBe('right');
  });

  it.each<[string, Record<string, string>, string]>([
    ['is missing', {}, 'trailer_malformed'],
    ['has another name', { 'x-amz-checksum-crc32c': 'y/Q5Jg==' }, 'trailer_malformed'],
    ['comes with another', { 'x-amz-checksum-crc32': 'y/Q5Jg==', 'x-amz-meta-a': 'b' }, 'trailer_malformed'],
    ['is empty', { 'x-amz-checksum-crc32': '' }, 'trailer_malformed'],
    ['is not base64', { 'x-amz-checksum-crc32': 'y/Q5Jg' }, 'trailer_malformed'],
    ['is too long', { 'x-amz-checksum-crc32': 'y/Q5JgAA' }, 'trailer_malformed'],
    ['is that of other bytes', { 'x-amz-checksum-crc32': 'y/Q5Jw==' }, 'checksum_mismatch'],
  ])('that %s is refused', (_, fields, reason) => {
    expect(verdict(fields)).toBe(reason);
  });
});
