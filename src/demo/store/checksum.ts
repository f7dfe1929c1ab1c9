import { createHash } from 'node:crypto';
import type { HeaderList } from '../../core/header-list.ts';
import { startChecksum } from '../../sigv4/checksum.ts';
import { storeError } from './errors.ts';

/** The checksum algorithms of S3, spelled as in `x-amz-checksum-algorithm`. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** A checksum of some bytes; the value is base64, with `-N` after it when it is made of N parts' checksums. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

const nameInHeaders = {
  CRC32: 'crc32',
  CRC32C: 'crc32c',
  CRC64NVME: 'crc64nvme',
  SHA1: 'sha1',
  SHA256: 'sha256',
} as const;

/** Every algorithm, in the order S3 lists them. */
const checksumAlgorithms: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'];

/** The algorithm of that name, or `undefined`. */
export function parseChecksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm === name.toUpperCase());
}

/** The header that carries a checksum of that algorithm. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${nameInHeaders[algorithm]}`;
}

/** The XML element that carries a checksum of that algorithm. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** The checksum of a body. */
export function checksumOf(algorithm: ChecksumAlgorithm, body: Uint8Array): Checksum {
  const checksum = startChecksum(nameInHeaders[algorithm]);
  checksum.update(body);
  return { algorithm, value: checksum.digest().toString('base64') };
}

/** The checksum a request claims for its object, unchecked. Throws InvalidRequest when it claims several. */
export function readClaimedChecksum(headers: HeaderList): Checksum | undefined {
  const claimed = checksumAlgorithms.flatMap((algorithm) =>
    headers.getAll(checksumHeader(algorithm)).map((value) => ({ algorithm, value })),
  );
  if (claimed.length > 1) {
    throw storeError('InvalidRequest', { message: 'expecting a single x-amz-checksum- header' });
  }
  return claimed[0];
}

/**
 * Checks `Content-MD5` and the `x-amz-checksum-*` header against the body and returns the checksum, if one came.
 * Throws InvalidDigest, InvalidRequest, BadDigest.
 */
export function verifyIntegrity(headers: HeaderList, body: Buffer): Checksum | undefined {
  const contentMd5 = headers.get('content-md5');
  if (contentMd5 !== undefined) {
    if (!/^[A-Za-z0-9+/]{22}==$/.test(contentMd5)) throw storeError('InvalidDigest');
    if (createHash('md5').update(body).digest('base64') !== contentMd5) throw storeError('BadDigest');
  }
  const claimed = readClaimedChecksum(headers);
  if (claimed !== undefined && checksumOf(claimed.algorithm, body).value !== claimed.value) {
    throw storeError('BadDigest', {
      message: `the ${claimed.algorithm} you specified did not match the calculated checksum`,
    });
  }
  return claimed;
}
