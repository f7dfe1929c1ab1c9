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

/** Further algorithms, accepted in headers alone. By header: the hash and its length in bytes. */
const plainHashes: ReadonlyMap<string, readonly [name: string, bytes: number]> = new Map([
  ['x-amz-checksum-md5', ['md5', md5Bytes]],
  ['x-amz-checksum-sha512', ['sha512', 64]],
]);

/** One header that says what the body is. */
interface HeaderCheck {
  readonly running: RollingChecksum;
  readonly expected: Buffer;
  readonly mismatch: BodyReason;
}

/**
 * `Content-MD5` and every `x-amz-checksum-*` of a request, held against the body while it passes. They are verified
 * here, whatever the store does: one that ignores them would keep an object that its sender knows to be broken.
 */
export class HeaderChecks {
  readonly #checks: readonly HeaderCheck[];

  /** @throws BodyFault `md5_invalid`, `checksum_invalid` for a value that cannot be one */
  constructor(headers: Iterable<readonly [name: string, value: string]>) {
    const checks: HeaderCheck[] = [];
    for (const [name, value] of headers) {
      const check = name === 'content-md5' ? md5Check(value) : checksumCheck(name, value);
      if (check !== undefined) checks.push(check);
    }
    this.#checks = checks;
  }

  /** Takes the next bytes of the body, aws-chunked framing removed. */
  update(data: Buffer): void {
    for (const { running } of this.#checks) running.update(data);
  }

  /**
   * Call once, at the end.
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
