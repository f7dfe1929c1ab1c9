import { decodeAgain } from '../core/path-key.ts';
import { decodeTargetText } from '../core/request-target.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { checkBucket, checkKey } from './addressing.ts';
import { s3Error } from './errors.ts';
import { isStoreId } from './store-id.ts';

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
 * decoded exactly once. A raw `?` can only start the version, so a key with one must be encoded; `+` is itself.
 * Access points are refused, and keys with `?versionId=`, which versitygw and Ceph RGW take for the version although it is
 * encoded. Throws `InvalidArgument`, `InvalidURI`, `KeyTooLongError`, `NotImplemented`. Source: AWS
 * "CopyObject".
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

// Some stores decode the source once more, or before they look for the version: the key would be that of another object.
function checkSourceKey(name: string): string {
  const key = checkKey(name);
  const decoded = decodeAgain(key);
  if (decoded !== key) checkKey(decoded);
  if (key.includes(versionMark) || decoded.includes(versionMark)) throw malformed();
  return key;
}

// Here AWS answers with the code for a bad header, not the one for a bad bucket name.
function readBucket(name: string): string {
  try {
    return checkBucket(name);
  } catch (cause) {
    throw s3Error('InvalidArgument', 'Invalid copy source bucket name', { cause });
  }
}

function readVersion(text: string): string {
  const versionId = text.startsWith(versionMark) ? decode(text.slice(versionMark.length)) : '';
  // Another parameter, or a second question mark, might be read differently by a store.
  if (!isStoreId(versionId) || /[?&=]/.test(text.slice(versionMark.length))) throw malformed();
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
