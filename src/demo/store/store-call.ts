import type { HeaderList } from '../../core/header-list.ts';
import type { RawRequest } from '../../core/raw-request.ts';
import { decodeTargetText } from '../../core/request-target.ts';
import { storeError } from './errors.ts';

/** What a request addresses, path-style. */
export interface Address {
  /** Empty for the service itself. */
  readonly bucketName: string;
  /** Empty for the bucket itself. */
  readonly key: string;
}

/** One authenticated request with its whole body, as the operations see it. */
export interface StoreCall extends Address {
  readonly query: ReadonlyMap<string, string>;
  readonly headers: HeaderList;
  readonly body: Buffer;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

const maxKeyBytes = 1024;

/** Splits `/bucket/key` and decodes each piece once. Throws InvalidURI, InvalidBucketName, KeyTooLongError. */
export function readAddress(rawPath: string): Address {
  const slash = rawPath.indexOf('/', 1);
  const bucketName = decodeTargetText(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash));
  const key = decodeTargetText(slash < 0 ? '' : rawPath.slice(slash + 1));
  if (bucketName === undefined || key === undefined) throw storeError('InvalidURI');
  const isService = rawPath === '/';
  if (!isService && !isBucketName(bucketName)) {
    throw storeError('InvalidBucketName', { fields: { BucketName: bucketName } });
  }
  if (Buffer.byteLength(key, 'utf8') > maxKeyBytes) throw storeError('KeyTooLongError');
  return { bucketName, key };
}

// Source: AWS "General purpose bucket naming rules".
function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name)
  );
}

/** The query as a map. Throws InvalidArgument when a parameter is repeated. */
export function readQuery(raw: RawRequest): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const { name, value } of raw.parameters) {
    if (query.has(name)) {
      throw storeError('InvalidArgument', {
        message: 'a query parameter is repeated',
        fields: { ArgumentName: name },
      });
    }
    query.set(name, value);
  }
  return query;
}

/**
 * A whole number of the query between 0 and `maximum`; what is larger counts as `maximum`, absent too.
 * Throws InvalidArgument.
 */
export function readCount(call: StoreCall, name: string, maximum: number): number {
  const text = call.query.get(name);
  if (text === undefined || text === '') return maximum;
  if (!/^\d{1,10}$/.test(text)) {
    throw storeError('InvalidArgument', {
      message: `provided ${name} is not an integer or not within the integer range`,
      fields: { ArgumentName: name, ArgumentValue: text },
    });
  }
  return Math.min(Number(text), maximum);
}

/** Refuses an upload whose end cannot be told from a break. Throws MissingContentLength. */
export function checkHasLength({ headers }: StoreCall): void {
  if (headers.has('content-length') || headers.has('x-amz-decoded-content-length')) return;
  throw storeError('MissingContentLength');
}

const plainHeaders: ReadonlySet<string> = new Set([
  'x-amz-checksum-algorithm',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-mode',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-type',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-mp-object-size',
  'x-amz-request-payer',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
  'x-amz-user-agent',
]);

/**
 * Refuses `x-amz-*` headers that ask for something the operation does not do here (ACLs, encryption…): ignoring one
 * would report a success that did not happen. `further` are the headers it knows beside the plain ones. Throws
 * NotImplemented.
 */
export function refuseUnknownHeaders(headers: HeaderList, further: readonly string[]): void {
  for (const { name, value } of headers) {
    // What it does anyway; some clients always say so.
    if (name === 'x-amz-storage-class' && value === 'STANDARD') continue;
    if (!name.startsWith('x-amz-') || name.startsWith('x-amz-meta-') || plainHeaders.has(name)) continue;
    if (further.includes(name)) continue;
    throw storeError('NotImplemented', {
      message: 'a header you provided implies functionality that is not implemented',
      fields: { Header: name },
    });
  }
}
