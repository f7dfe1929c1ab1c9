import { startChecksum } from '../../src/sigv4/checksum.ts';
import { alice } from './sidecar.ts';
import {
  anySeed,
  type ClientSeed,
  cutInto,
  joinParts,
  type SignedPart,
  seedOf,
  signedParts,
} from './signed-chunks.ts';
import { readAll, sendHead, signHead } from './signed-socket.ts';
import { summary } from './wire.ts';

/** The checksums that a trailer can have. */
export const algorithms = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type Algorithm = (typeof algorithms)[number];

/** Its checksum as it stands in a header or trailer. */
export function checksumOf(data: Buffer, algorithm: Algorithm = 'crc32'): string {
  const checksum = startChecksum(algorithm);
  checksum.update(data);
  return checksum.digest().toString('base64');
}

/** An upload whose chunks are signed once its request has been. */
export interface SignedUpload {
  readonly headers: Record<string, string>;
  readonly wire: (seed: ClientSeed) => Buffer;
}

/** What is not usual about an upload. */
export interface Shape {
  readonly chunkBytes?: number;
  readonly checksum?: string;
  readonly algorithm?: Algorithm;
  readonly headers?: Record<string, string>;
  /** Changes what was rightly signed. */
  readonly change?: (parts: SignedPart[]) => SignedPart[];
}

/** Whether a signed trailer follows the chunks. */
export type Mode = 'chunks' | 'chunks with a trailer';

/** An upload of that data. */
export function upload(mode: Mode, data: Buffer, shape: Shape = {}): SignedUpload {
  const { chunkBytes = 65_536, algorithm = 'crc32', headers = {}, change = (parts) => parts } = shape;
  const name = `x-amz-checksum-${algorithm}`;
  const trailer = { name, value: shape.checksum ?? checksumOf(data, algorithm) };
  const hasTrailer = mode === 'chunks with a trailer';
  return {
    headers: {
      'x-amz-content-sha256': `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${hasTrailer ? '-TRAILER' : ''}`,
      'x-amz-decoded-content-length': String(data.length),
      'content-encoding': 'aws-chunked',
      ...(hasTrailer ? { 'x-amz-trailer': name } : {}),
      ...headers,
    },
    wire: (seed) =>
      joinParts(change(signedParts(cutInto(data, chunkBytes), seed, hasTrailer ? trailer : undefined))),
  };
}

/** Sends an upload signed by alice, and returns status and code of its answer. */
export async function send(url: string, path: string, { headers, wire }: SignedUpload): Promise<string> {
  const length = String(wire(anySeed).length);
  const fields = { connection: 'close', 'content-length': length, ...headers };
  const head = await signHead(url, { method: 'PUT', path, headers: fields });
  const socket = sendHead(url, head);
  socket.write(wire(seedOf(head, alice.secretAccessKey)));
  return summary(await readAll(socket));
}

/** Both modes. */
export const modes = ['chunks', 'chunks with a trailer'] as const;
