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
  const expected = Buffer.from(value, 'base64');
  if (expected.length !== md5Bytes || expected.toString('base64') !== value)
    throw new BodyFault('md5_invalid');
  return { running: createHash('md5'), expected, mismatch: 'md5_mismatch' };
}

function checksumCheck(name: string, value: string): HeaderCheck | undefined {
  const algorithm = checksumAlgorithmOf(name);
  if (algorithm === undefined) return undefined;
  const expected = parseChecksum(algorithm, value);
  if (expected === undefined) throw new BodyFault('checksum_invalid');
  return { running: startChecksum(algorithm), expected, mismatch: 'checksum_mismatch' };
}
