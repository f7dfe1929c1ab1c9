import { parseQuery } from '../core/request-target.ts';
import { uriEncode } from '../core/uri-encode.ts';
import { s3Error } from './errors.ts';
import type { ObjectTag } from './operation.ts';

// AWS's limits for tags.
const maxObjectTags = 10;
const maxBucketTags = 50;
const maxTagKeyLength = 128;
const maxTagValueLength = 256;

/**
 * Parses `x-amz-tagging`, which is encoded like a query: `team=blue&stage=test`. A repeated key is refused, also one that
 * differs in case only, because condition keys ignore case; so is anything that does not decode. Throws `InvalidArgument`.
 */
export function parseFormTags(header: string): readonly ObjectTag[] {
  const tags = parseQuery(header)?.map(({ name, value }): ObjectTag => [name, value]);
  if (tags === undefined) {
    throw s3Error('InvalidArgument', "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded.");
  }
  checkTags(tags);
  return tags;
}

/** Writes `x-amz-tagging`. */
export function writeFormTags(tags: readonly ObjectTag[]): string {
  return tags.map(([key, value]) => `${uriEncode(key)}=${uriEncode(value)}`).join('&');
}

/** Refuses repeated keys, also in other capitals, and what is over AWS's limits for objects. Throws `InvalidArgument`. */
export function checkTags(tags: readonly ObjectTag[]): void {
  checkTagSet(tags, maxObjectTags, 'An object');
}

/** The same for buckets, which may have more tags. */
export function checkBucketTags(tags: readonly ObjectTag[]): void {
  checkTagSet(tags, maxBucketTags, 'A bucket');
}

function checkTagSet(tags: readonly ObjectTag[], most: number, noun: string): void {
  const names = new Set(tags.map(([name]) => name.toLowerCase()));
  if (names.size !== tags.length || names.size > most || names.has('')) {
    throw s3Error('InvalidArgument', `${noun} has up to ${most} tags, each with a key of its own.`);
  }
  if (tags.some(([name, value]) => name.length > maxTagKeyLength || value.length > maxTagValueLength)) {
    throw s3Error('InvalidArgument', 'A tag key or value is too long.');
  }
}
