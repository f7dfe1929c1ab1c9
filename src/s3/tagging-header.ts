import { parseQuery } from '../core/request-target.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { s3Error } from './errors.ts';
import type { ObjectTag } from './operation.ts';

// AWS's limits for tags.
const maxObjectTags = 10;
const maxBucketTags = 50;
/** More than this between `&`, empty or not, is not read. */
const maxPieces = 64;
const maxTagKeyLength = 128;
const maxTagValueLength = 256;

/**
 * Characters of keys and values (AWS "S3Tag"), and the marks that letters of many scripts are written with. Ceph RGW takes
 * any other from the header, and then lists U+0001 and U+FFFE in a way that no XML reader accepts, so that every decision on
 * the tags of the object fails.
 */
const tagText = /^[\p{L}\p{M}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * Parses `x-amz-tagging`, which is encoded like a query: `team=blue&stage=test`. A repeated key is refused, and
 * anything that does not decode; keys that differ only in case are two.
 * @throws `InvalidArgument`, `InvalidTag`, `BadRequest`
 */
export function parseFormTags(header: string): readonly ObjectTag[] {
  // Before a signature is verified: a head has room for thousands.
  if (header.split('&', maxPieces + 1).length > maxPieces) throw tooManyObjectTags();
  const tags = parseQuery(header)?.map(({ name, value }): ObjectTag => [name, value]);
  // AWS takes a repeated key for bad encoding here, and for a bad tag in a document.
  if (tags === undefined || hasRepeats(tags)) throw unreadable();
  checkTags(tags);
  return tags;
}

/** Writes `x-amz-tagging`. */
export function writeFormTags(tags: readonly ObjectTag[]): string {
  return tags.map(([key, value]) => `${uriEncode(key)}=${uriEncode(value)}`).join('&');
}

function unreadable(): Error {
  return s3Error(
    'InvalidArgument',
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
  );
}

/**
 * Refuses repeated keys, keys that only the service may set, other characters than AWS's, and what is over its limits for
 * objects. Codes: AWS "PutObjectTagging", and the clients' suites that branch on them.
 * @throws `InvalidTag`, `BadRequest`
 */
export function checkTags(tags: readonly ObjectTag[]): void {
  if (tags.length > maxObjectTags) throw tooManyObjectTags();
  checkEachTag(tags);
}

function tooManyObjectTags(): Error {
  return s3Error('BadRequest', `Object tags cannot be greater than ${maxObjectTags}`);
}

/** The same for buckets, which may have more tags. */
export function checkBucketTags(tags: readonly ObjectTag[]): void {
  if (tags.length > maxBucketTags) {
    throw s3Error('BadRequest', `Bucket tag count cannot be greater than ${maxBucketTags}`);
  }
  checkEachTag(tags);
}

function checkEachTag(tags: readonly ObjectTag[]): void {
  for (const [name, value] of tags) {
    if (name === '' || name.length > maxTagKeyLength || !tagText.test(name)) {
      throw s3Error('InvalidTag', 'The TagKey you have provided is invalid');
    }
    if (value.length > maxTagValueLength || !tagText.test(value)) {
      throw s3Error('InvalidTag', 'The TagValue you have provided is invalid');
    }
    if (/^aws:/i.test(name)) {
      throw s3Error('InvalidTag', 'System tags cannot be added/updated by requester');
    }
  }
  if (hasRepeats(tags)) throw s3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
}

function hasRepeats(tags: readonly ObjectTag[]): boolean {
  return new Set(tags.map(([name]) => name)).size !== tags.length;
}
