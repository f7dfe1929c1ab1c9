import { climbsOut } from '../core/path-key.ts';

const syntax = /^[A-Za-z0-9._~+=-]{1,1024}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** MinIO's other spelling of the version `null`. */
const nilUuid = /^(?:0{8}-0{4}-0{4}-0{4}-0{12}|0{32})$/;
const base64 = /^[A-Za-z0-9+_-]+={0,2}$/;

/**
 * Whether a text is an id as stores make them for versions, uploads and configurations. Some stores use ids as parts of
 * file names, so that a slash or `..` would lead elsewhere; some cut off white space or read UUIDs in several spellings, so
 * that a policy about one of them would be passed by.
 */
export function isStoreId(text: string): boolean {
  const isPath = text === '.' || text === '..';
  if (!syntax.test(text) || isPath || nilUuid.test(text)) return false;
  return !uuid.test(text) || text === text.toLowerCase();
}

/** Whether a text can be the id of an upload of the key that it comes with, and of no other. */
export function isUploadId(text: string): boolean {
  return isStoreId(text) && !continuesKey(text) && !hidesPath(text);
}

// Ceph RGW keeps an upload under `<key>.2~<id>`: `pem.2~x` with the key `dir/id` would be an upload of `dir/id.pem`. Its
// ids have no dot.
function continuesKey(text: string): boolean {
  return text.includes('.2~');
}

// MinIO decodes an id, cuts off its own name up to the first dot, and takes the rest for a path below the folder of the key.
// The ids of all stores tried decode to nothing that climbs out of a folder.
function hidesPath(text: string): boolean {
  if (!base64.test(text)) return false;
  const decoded = Buffer.from(text, 'base64').toString('latin1');
  return climbsOut(decoded) || climbsOut(decoded.slice(decoded.indexOf('.') + 1));
}
