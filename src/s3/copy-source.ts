import { decodeAgain } from '../core/path-key.ts';
import { decodeTargetText } from '../core/request-target.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { checkBucket, checkKey } from './addressing.ts';
import { s3Error } from './errors.ts';
import { requireVersionId } from './store-id.ts';

/** The object a copy is made of. */
export interface CopySource {
  readonly bucket: string;
  /** Decoded, never empty. */
  readonly key: string;
  readonly versionId?: string;
}

const versionMark = '?versionId=';

/**
 * Reads `x-amz-copy-source`: `[/]bucket/key[?versionId=id]`, percent-encoded as a whole, by piece, or not at all, and
 * decoded exactly once. A raw `?` can only start the version, so a key with one must be encoded; `+` is itself. Access
 * points are refused, and keys with `?versionId=`, which versitygw and Ceph RGW take for the version although it is
 * encoded. Source: AWS "CopyObject".
 * @throws `InvalidArgument`, `InvalidURI`, `KeyTooLongError`, `NotImplemented`
 */
export function parseCopySource(header: string): CopySource {
  const mark = header.indexOf('?');
  const name = decode(mark < 0 ? header : header.slice(0, mark));
  const versionId = mark < 0 ? undefined : readVersion(header.slice(mark));
  if (/^\/?arn:/i.test(name))
    throw s3Error('NotImplemented', 'Copying from an access point is not supported.');
  const path = name.startsWith('/') ? name.slice(1) : name;
  const slash = path.indexOf('/');
  if (slash < 0 || slash === path.length - 1) throw malformed();
  const bucket = readBucket(path.slice(0, slash));
  const key = checkSourceKey(path.slice(slash + 1));
  return versionId === undefined ? { bucket, key } : { bucket, key, versionId };
}

// Ceph RGW decodes some sources twice, and both it and versitygw decode before they look for the version. Such a store must not
// find a path out of the bucket, a name of its own, or a version in what was authorized as a key.
function checkSourceKey(name: string): string {
  const key = checkKey(name);
  const decoded = decodeAgain(key);
  if (decoded !== key) checkKey(decoded);
  if (key.includes(versionMark) || decoded.includes(versionMark)) throw malformed();
  return key;
}

// AWS reports a bad bucket name in this header as InvalidArgument, not as InvalidBucketName.
function readBucket(name: string): string {
  try {
    return checkBucket(name);
  } catch (cause) {
    throw s3Error('InvalidArgument', 'Invalid copy source bucket name', { cause });
  }
}

function readVersion(text: string): string {
  const written = text.slice(versionMark.length);
  // Stores differ in how they read a second parameter or a second question mark.
  if (!text.startsWith(versionMark) || /[?&=]/.test(written)) throw malformed();
  const versionId = decode(written);
  requireVersionId(versionId);
  return versionId;
}

function decode(raw: string): string {
  const text = decodeTargetText(raw);
  if (text === undefined) throw malformed();
  return text;
}

function malformed(): Error {
  return s3Error(
    'InvalidArgument',
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
  );
}

/** The header for the store, written anew from what was authorized: encoded, with a leading slash. */
export function writeCopySource({ bucket, key, versionId }: CopySource): string {
  const path = `/${bucket}/${uriEncode(key, true)}`;
  return versionId === undefined ? path : `${path}${versionMark}${uriEncode(versionId)}`;
}
