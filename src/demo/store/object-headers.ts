import type { HeaderList } from '../../core/header-list.ts';
import { checksumHeader } from './checksum.ts';
import type { StoredObject } from './contents.ts';
import { storeError } from './errors.ts';

const systemMetadata: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]);
const userMetadata = 'x-amz-meta-';
const maxUserMetadataBytes = 2048;

/** The headers of an upload that are kept with the object, bytes untouched. Throws MetadataTooLarge. */
export function keptHeaders(headers: HeaderList): Readonly<Record<string, string>> {
  const kept = new Map<string, string>([['content-type', 'binary/octet-stream']]);
  let userBytes = 0;
  for (const { name } of headers) {
    const isUserMetadata = name.startsWith(userMetadata);
    if (!isUserMetadata && !systemMetadata.has(name)) continue;
    const value = headers.getAll(name).join(',');
    if (isUserMetadata && !kept.has(name)) userBytes += name.length - userMetadata.length + value.length;
    kept.set(name, value);
  }
  if (userBytes > maxUserMetadataBytes) throw storeError('MetadataTooLarge');
  return Object.fromEntries(kept);
}

/** The headers every answer about an object carries. */
export function objectHeaders(object: StoredObject): Readonly<Record<string, string>> {
  return {
    ...object.headers,
    'accept-ranges': 'bytes',
    etag: `"${object.etag}"`,
    ...(object.tags.size === 0 ? {} : { 'x-amz-tagging-count': String(object.tags.size) }),
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
  };
}

/** The checksum headers of an object; empty unless it was stored with one. */
export function objectChecksumHeaders(object: StoredObject): Readonly<Record<string, string>> {
  const { checksum } = object;
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}
