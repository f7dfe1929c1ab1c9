import { createHash } from 'node:crypto';
import { startChecksum } from '../../../src/sigv4/checksum.ts';
import {
  type ClientSeed,
  cutInto,
  joinParts,
  type SignedPart,
  signedParts,
} from '../../support/signed-chunks.ts';

/** How a client sends an object: the headers that say so, and the bytes on the wire. */
export interface Payload {
  readonly name: 'unsigned' | 'digest' | 'trailer' | 'signed chunks' | 'signed chunks and trailer';
  readonly headers: Record<string, string>;
  /** Signed chunks are made once the request has been signed. Their number of bytes does not depend on it. */
  readonly wire: (seed: ClientSeed) => Buffer;
}

/** An object in every payload mode, without a mistake in it. */
export function payloadsOf(data: Buffer): readonly Payload[] {
  const checksum = crc32(data);
  return [
    { name: 'unsigned', headers: unsignedHeaders, wire: () => data },
    { name: 'digest', headers: digestHeaders(data), wire: () => data },
    { name: 'trailer', headers: trailerHeaders(data.length), wire: () => chunked(data, checksum) },
    {
      name: 'signed chunks',
      headers: signedHeaders(data.length),
      wire: (seed) => joinParts(signedChunks(data, seed)),
    },
    {
      name: 'signed chunks and trailer',
      headers: signedTrailerHeaders(data.length),
      wire: (seed) => joinParts(signedChunks(data, seed, checksum)),
    },
  ];
}

export function signedHeaders(decodedLength: number): Record<string, string> {
  return {
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length': String(decodedLength),
    'content-encoding': 'aws-chunked',
  };
}

export function signedTrailerHeaders(decodedLength: number): Record<string, string> {
  return {
    ...trailerHeaders(decodedLength),
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  };
}

/** Signed chunks of 64 KiB, with a signed trailer when there is a checksum, which need not be the right one. */
export function signedChunks(data: Buffer, seed: ClientSeed, checksum?: string): SignedPart[] {
  const trailer = checksum === undefined ? undefined : { name: 'x-amz-checksum-crc32', value: checksum };
  return signedParts(cutInto(data, 65_536), seed, trailer);
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
