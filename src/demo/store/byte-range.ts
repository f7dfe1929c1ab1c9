import { storeError } from './errors.ts';

/** A part of an object: `start` inclusive, `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a `Range` header against an object of `size` bytes (RFC 9110 section 14). `undefined` when the whole
 * object is to be sent: no header, another unit, more than one range, or bad syntax, all of which S3 ignores.
 * Throws InvalidRange when the range lies outside the object.
 */
export function readByteRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (header === undefined || match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const isSuffix = first === '';
  if (!isSuffix && last !== '' && Number(last) < Number(first)) return undefined;
  const start = isSuffix ? Math.max(size - Number(last), 0) : Number(first);
  const end = isSuffix || last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= size) {
    throw storeError('InvalidRange', { fields: { RangeRequested: header, ActualObjectSize: String(size) } });
  }
  return { start, end };
}
