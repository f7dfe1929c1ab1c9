import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Crc64, crc32c, crc64nvme } from '../core/crc.ts';

/** The checksum algorithms of S3, as they end `x-amz-checksum-…`. */
export type ChecksumAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha1' | 'sha256';

/** A checksum taken piece by piece. */
export interface RollingChecksum {
  update(data: Uint8Array): void;
  /** The checksum's bytes, big-endian; call once. */
  digest(): Buffer;
}

/** Length of each checksum in bytes. */
const checksumBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

/** Starts a checksum. */
export function startChecksum(algorithm: ChecksumAlgorithm): RollingChecksum {
  switch (algorithm) {
    case 'crc32':
      return new Rolling32(crc32);
    case 'crc32c':
      return new Rolling32(crc32c);
    case 'crc64nvme':
      return new Rolling64();
    case 'sha1':
    case 'sha256':
      return createHash(algorithm);
  }
}

const headerAlgorithms: ReadonlyMap<string, ChecksumAlgorithm> = new Map([
  ['x-amz-checksum-crc32', 'crc32'],
  ['x-amz-checksum-crc32c', 'crc32c'],
  ['x-amz-checksum-crc64nvme', 'crc64nvme'],
  ['x-amz-checksum-sha1', 'sha1'],
  ['x-amz-checksum-sha256', 'sha256'],
]);

/** The algorithm whose checksum that header carries, by its lower-case name; `undefined` for any other header. */
export function checksumAlgorithmOf(header: string): ChecksumAlgorithm | undefined {
  return headerAlgorithms.get(header);
}

/** Reads the base64 of a checksum; `undefined` unless it is exactly as long as the algorithm makes it. */
export function parseChecksum(algorithm: ChecksumAlgorithm, text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === checksumBytes[algorithm] && bytes.toString('base64') === text ? bytes : undefined;
}

/** Characters of the base64 form. */
export function checksumTextLength(algorithm: ChecksumAlgorithm): number {
  return Math.ceil(checksumBytes[algorithm] / 3) * 4;
}

class Rolling32 implements RollingChecksum {
  readonly #advance: (data: Uint8Array, previous: number) => number;
  #crc = 0;

  constructor(advance: (data: Uint8Array, previous: number) => number) {
    this.#advance = advance;
  }

  update(data: Uint8Array): void {
    this.#crc = this.#advance(data, this.#crc);
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#crc);
    return bytes;
  }
}

class Rolling64 implements RollingChecksum {
  #crc: Crc64 = { high: 0, low: 0 };

  update(data: Uint8Array): void {
    this.#crc = crc64nvme(data, this.#crc);
  }

  digest(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(this.#crc.high, 0);
    bytes.writeUInt32BE(this.#crc.low, 4);
    return bytes;
  }
}
