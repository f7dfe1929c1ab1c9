import { leavesItsBucket } from '../core/path-key.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { decodeTargetText } from '../core/request-target.ts';
import { s3Error } from './errors.ts';
import { isStoresBucket, isStoresKey, storeNameRefused } from './store-names.ts';

/** The bucket and key a request names; empty strings where it names none. */
export interface Address {
  readonly bucket: string;
  readonly key: string;
}

// As lenient as the most lenient store: Ceph RGW allows capitals and underscores. Never a dot segment.
const bucketName = /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/;

/** AWS's limit, in bytes of UTF-8. */
const maxKeyBytes = 1024;

/**
 * Normalises path style and virtual-host style to one (bucket, key). `virtualHosts` are the names under which
 * `<bucket>.<name>` is served.
 * @throws `InvalidURI`, `InvalidBucketName`, `KeyTooLongError`
 */
export function resolveAddress(raw: RawRequest, virtualHosts: readonly string[]): Address {
  const hostBucket = bucketOfHost(raw.headers.get('host') ?? '', virtualHosts);
  if (hostBucket !== undefined) {
    return { bucket: checkBucket(hostBucket), key: decodeKey(raw.path.slice(1)) };
  }
  if (raw.path === '/') return { bucket: '', key: '' };
  const slash = raw.path.indexOf('/', 1);
  const rawBucket = slash < 0 ? raw.path.slice(1) : raw.path.slice(1, slash);
  if (/%2f/i.test(rawBucket)) throw s3Error('InvalidURI');
  const bucket = decodeTargetText(rawBucket);
  if (bucket === undefined) throw s3Error('InvalidURI');
  return { bucket: checkBucket(bucket), key: slash < 0 ? '' : decodeKey(raw.path.slice(slash + 1)) };
}

/**
 * The bucket a Host header names, `undefined` when it is none of the virtual hosts' subdomains. Where one virtual host is
 * a subdomain of another, the longest that fits counts, and the virtual host itself is no bucket.
 */
export function bucketOfHost(host: string, virtualHosts: readonly string[]): string | undefined {
  if (virtualHosts.length === 0) return undefined;
  const name = host.replace(/\.?(?::\d*)?$/, '').toLowerCase();
  let longest = '';
  for (const base of virtualHosts) {
    if (name === base) return undefined;
    if (base.length > longest.length && name.endsWith(`.${base}`)) longest = base;
  }
  return longest === '' ? undefined : name.slice(0, -longest.length - 1);
}

/**
 * A bucket name that may be forwarded.
 * @throws `InvalidBucketName`
 */
export function checkBucket(name: string): string {
  if (isStoresBucket(name)) throw storeNameRefused('InvalidBucketName');
  if (!bucketName.test(name)) throw s3Error('InvalidBucketName');
  return name;
}

function decodeKey(rawKey: string): string {
  const key = decodeTargetText(rawKey);
  if (key === undefined) throw s3Error('InvalidURI');
  return checkKey(key);
}

/**
 * A decoded key that may be forwarded: one that a store which normalises paths cannot take for something outside of the
 * bucket, or for the bucket itself, and none that a store keeps for itself.
 * @throws `InvalidURI`, `KeyTooLongError`
 */
export function checkKey(key: string): string {
  if (Buffer.byteLength(key, 'utf8') > maxKeyBytes) throw s3Error('KeyTooLongError');
  if (leavesItsBucket(key)) throw s3Error('InvalidURI');
  if (isStoresKey(key)) throw storeNameRefused('InvalidURI');
  return key;
}
