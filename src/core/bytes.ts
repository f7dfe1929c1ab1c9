import { timingSafeEqual } from 'node:crypto';

/** Compares two byte strings in time that depends on their lengths only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

const comparedBytes = 128;
const leftScratch: Buffer = Buffer.alloc(comparedBytes);
const rightScratch: Buffer = Buffer.alloc(comparedBytes);

/** Compares two latin1 texts of at most 128 characters, such as signatures, in time that depends on their lengths only. */
export function equalTexts(left: string, right: string): boolean {
  if (left.length !== right.length || left.length > comparedBytes) return false;
  leftScratch.fill(0).write(left, 0, 'latin1');
  rightScratch.fill(0).write(right, 0, 'latin1');
  return timingSafeEqual(leftScratch, rightScratch);
}

/** Reused for every text that fits. */
const commonScratch: Buffer = Buffer.alloc(8192);

/** The bytes of a latin1 text. They are valid until the next call. */
export function latin1Bytes(text: string): Buffer {
  const { length } = text;
  if (length > commonScratch.length) return Buffer.from(text, 'latin1');
  commonScratch.write(text, 0, 'latin1');
  return commonScratch.subarray(0, length);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8 strictly; `undefined` when the bytes are not well-formed. A leading BOM is kept as a character. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The same text in memory of its own. V8 keeps the whole of a text for as long as a slice of it lives: what is cut out of a
 * request and outlives it would keep a head of 32 KiB.
 */
export function flatCopy(text: string): string {
  return Buffer.from(text, 'ucs2').toString('ucs2');
}
