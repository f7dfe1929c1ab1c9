import { climbsOut } from '../core/path-key.ts';
import { s3Error } from './errors.ts';

const syntax = /^[A-Za-z0-9._~+=-]{1,1024}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** MinIO reads it as the version `null`. */
const nilUuid = /^(?:0{8}-0{4}-0{4}-0{4}-0{12}|0{32})$/;
/** Of Backblaze B2, the only store known to have underscores in the ids of versions and no version with the id `4`. */
const b2Version = /^4_z\w+$/;
const base64 = /^[A-Za-z0-9+_-]+={0,2}$/;

/**
 * Whether a text could be the id that a store gave to a version, an upload or a configuration. Some stores build file names
 * from ids: a slash or `..` would lead to another file. Others trim white space, or accept several spellings of a UUID: a
 * policy that names one spelling would not match another.
 */
export function isStoreId(text: string): boolean {
  const isPath = text === '.' || text === '..';
  if (!syntax.test(text) || isPath || nilUuid.test(text)) return false;
  return !uuid.test(text) || text === text.toLowerCase();
}

/**
 * Whether a text could be the id of a version of the requested key, and of no other key. Ceph RGW keeps a version as
 * `_:<id>_<key>`, so that the version `V_P` of the key `S` is the version `V` of the key `P_S`. Its own ids have no `_`.
 */
export function isVersionId(text: string): boolean {
  return isStoreId(text) && (!text.includes('_') || b2Version.test(text));
}

/** @throws `InvalidArgument` for what {@link isVersionId} excludes */
export function requireVersionId(text: string): void {
  if (!isVersionId(text)) throw s3Error('InvalidArgument', 'Invalid version id specified');
}

/** Whether a text could be the id of an upload of the requested key, and of no other key. */
export function isUploadId(text: string): boolean {
  return isStoreId(text) && !continuesKey(text) && !hidesPath(text) && !isPartNumber(text);
}

// Ceph RGW names an upload `<key>.<id>`, and its ids are `2~` and letters without a dot. The id `pem.2~x` for the key `dir/id`
// would reach an upload of `dir/id.pem`.
function continuesKey(text: string): boolean {
  return text.includes('.2~');
}

// MinIO decodes the id, drops everything up to the first dot, and appends the rest to the folder of the key's uploads. A `..`
// in there would reach the uploads of other keys.
function hidesPath(text: string): boolean {
  if (!base64.test(text)) return false;
  const decoded = Buffer.from(text, 'base64').toString('latin1');
  return climbsOut(decoded) || climbsOut(decoded.slice(decoded.indexOf('.') + 1));
}

// Swift keeps part 1 of the upload `U` of `key` as `key/U/1`, and an upload `I` of `other` as `other/I`: the upload `1` of `key/U` would be
// that part (2.30, 2026-11).
function isPartNumber(text: string): boolean {
  return /^\d{1,5}$/.test(text);
}
