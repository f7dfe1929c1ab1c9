import { createHash } from 'node:crypto';
import { BodyFault, type BodyReason } from '../core/body-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import {
  checksumAlgorithmOf,
  parseChecksum,
  type RollingChecksum,
  startChecksum,
} from '../sigv4/checksum.ts';

const md5Bytes = 16;

/** Algorithms that are accepted in headers only, never in trailers: the hash, and its length in bytes. */
const plainHashes: ReadonlyMap<string, readonly [name: string, bytes: number]> = new Map([
  ['x-amz-checksum-md5', ['md5', md5Bytes]],
  ['x-amz-checksum-sha512', ['sha512', 64]],
]);

/** One header with a checksum of the body. */
interface HeaderCheck {
  readonly running: RollingChecksum;
  readonly expected: Buffer;
  readonly mismatch: BodyReason;
}

/**
 * Verifies `Content-MD5` and every `x-amz-checksum-*` header while the body passes. Some stores ignore them, and would keep
 * a corrupted object.
 */
export class HeaderChecks {
  readonly #checks: readonly HeaderCheck[];

  /** @throws BodyFault `md5_invalid`, `checksum_invalid` for a malformed value */
  constructor(headers: Iterable<readonly [name: string, value: string]>) {
    const checks: HeaderCheck[] = [];
    for (const [name, value] of headers) {
      const check = name === 'content-md5' ? md5Check(value) : checksumCheck(name, value);
      if (check !== undefined) checks.push(check);
    }
    this.#checks = checks;
  }

  /** Takes the next bytes of the body, without aws-chunked framing. */
  update(data: Buffer): void {
    for (const { running } of this.#checks) running.update(data);
  }

  /**
   * Call once, at the end of the body.
   * @throws BodyFault `md5_mismatch`, `checksum_mismatch`
   */
  finish(): void {
    for (const { running, expected, mismatch } of this.#checks) {
      if (!equalBytes(running.digest(), expected)) throw new BodyFault(mismatch);
    }
  }
}

function md5Check(value: string): HeaderCheck {
  const expected = readBase64(value, md5Bytes);
  if (expected === undefined) throw new BodyFault('md5_invalid');
  return { running: createHash('md5'), expected, mismatch: 'md5_mismatch' };
}

function readBase64(text: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text ? bytes : undefined;
}

function checksumCheck(name: string, value: string): HeaderCheck | undefined {
  const hash = plainHashes.get(name);
  if (hash !== undefined) {
    const [hashName, bytes] = hash;
    return checksumOf(createHash(hashName), readBase64(value, bytes));
  }
  const algorithm = checksumAlgorithmOf(name);
  if (algorithm === undefined) return undefined;
  return checksumOf(startChecksum(algorithm), parseChecksum(algorithm, value));
}

function checksumOf(running: RollingChecksum, expected: Buffer | undefined): HeaderCheck {
  if (expected === undefined) throw new BodyFault('checksum_invalid');
  return { running, expected, mismatch: 'checksum_mismatch' };
}
