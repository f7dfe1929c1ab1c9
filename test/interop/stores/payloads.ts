import { createHash } from 'node:crypto';
import { startChecksum } from '../../../src/sigv4/checksum.ts';

/** How a client sends an object: the headers that say so, and the bytes on the wire. */
export interface Payload {
  readonly name: 'unsigned' | 'digest' | 'trailer';
  readonly headers: Record<string, string>;
  readonly wire: Buffer;
}

/** An object in every payload mode, without a mistake in it. */
export function payloadsOf(data: Buffer): readonly Payload[] {
  return [
    { name: 'unsigned', headers: unsignedHeaders, wire: data },
    { name: 'digest', headers: digestHeaders(data), wire: data },
    { name: 'trailer', headers: trailerHeaders(data.length), wire: chunked(data, crc32(data)) },
  ];
}

export const unsignedHeaders: Record<string, string> = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };

export function digestHeaders(data: Buffer): Record<string, string> {
  return { 'x-amz-content-sha256': createHash('sha256').update(data).digest('hex') };
}

export function trailerHeaders(decodedLength: number): Record<string, string> {
  return {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': String(decodedLength),
    'x-amz-trailer': 'x-amz-checksum-crc32',
    'content-encoding': 'aws-chunked',
  };
}

/** The checksum as it stands in a header or a trailer. */
export function crc32(body: Buffer): string {
  const checksum = startChecksum('crc32');
  checksum.update(body);
  return checksum.digest().toString('base64');
}

/** aws-chunked, with a checksum in the trailer that need not be the right one. */
export function chunked(body: Buffer, checksum: string): Buffer {
  const pieces: Buffer[] = [];
  for (let index = 0; index < body.length; index += 65_536) {
    const piece = body.subarray(index, index + 65_536);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(`0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`)]);
}
