import type { XmlTree } from '../../core/xml.ts';
import { type Answer, xmlAnswer } from './answer.ts';
import { owner } from './bucket-operations.ts';
import { bucketOf, type Contents, compareKeys, type StoredObject } from './contents.ts';
import { storeError } from './errors.ts';
import { type Listing, listEntries, type NameEncoding, readNameEncoding } from './listing.ts';
import { readCount, type StoreCall } from './store-call.ts';

const maxKeysPerPage = 1000;

/** ListObjects, the first version, which pages by `marker`. */
export function listObjectsV1(call: StoreCall, contents: Contents): Answer {
  const marker = call.query.get('marker') ?? '';
  const names = readNameEncoding(call);
  const { listing, common } = list(call, contents, marker, names);
  const delimiter = call.query.get('delimiter') ?? '';
  // As on AWS: without a delimiter the client continues from the last key.
  const nextMarker = listing.isTruncated && delimiter !== '' ? listing.last?.name : undefined;
  return xmlAnswer('ListBucketResult', {
    ...common,
    Marker: names.encode(marker),
    NextMarker: nextMarker === undefined ? undefined : names.encode(nextMarker),
    Contents: listing.entries.map((object) => ({ ...describe(object, names), Owner: owner })),
    CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: names.encode(prefix) })),
  });
}

/** ListObjectsV2, which pages by an opaque token; a token makes `start-after` void. Throws InvalidArgument. */
export function listObjectsV2(call: StoreCall, contents: Contents): Answer {
  if (call.query.get('list-type') !== '2') throw invalid('list-type', 'invalid list type');
  const names = readNameEncoding(call);
  const token = call.query.get('continuation-token');
  const startAfter = call.query.get('start-after');
  const after = token === undefined ? (startAfter ?? '') : openToken(token);
  const { listing, common } = list(call, contents, after, names);
  const { last } = listing;
  return xmlAnswer('ListBucketResult', {
    ...common,
    KeyCount: listing.entries.length + listing.commonPrefixes.length,
    ContinuationToken: token,
    NextContinuationToken: listing.isTruncated && last !== undefined ? writeToken(last.name) : undefined,
    StartAfter: startAfter === undefined ? undefined : names.encode(startAfter),
    Contents: listing.entries.map((object) => describe(object, names)),
    CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: names.encode(prefix) })),
  });
}

function list(
  call: StoreCall,
  contents: Contents,
  after: string,
  names: NameEncoding,
): { listing: Listing<StoredObject>; common: XmlTree } {
  const bucket = bucketOf(contents, call.bucketName);
  const prefix = call.query.get('prefix') ?? '';
  const delimiter = call.query.get('delimiter') ?? '';
  const maxKeys = readCount(call, 'max-keys', maxKeysPerPage);
  const sorted = [...bucket.objects.values()]
    .filter(({ key }) => compareKeys(key, after) > 0)
    .sort((left, right) => compareKeys(left.key, right.key));
  const listing = listEntries(sorted, { prefix, delimiter, after, maxItems: maxKeys });
  const common = {
    Name: bucket.name,
    Prefix: names.encode(prefix),
    Delimiter: delimiter === '' ? undefined : names.encode(delimiter),
    MaxKeys: maxKeys,
    EncodingType: names.encodingType,
    IsTruncated: listing.isTruncated,
  };
  return { listing, common };
}

function describe(object: StoredObject, names: NameEncoding): XmlTree {
  return {
    Key: names.encode(object.key),
    LastModified: new Date(object.lastModifiedMs).toISOString(),
    ETag: `"${object.etag}"`,
    ChecksumAlgorithm: object.checksum?.algorithm,
    ChecksumType: object.checksum?.type,
    Size: object.body.length,
    StorageClass: 'STANDARD',
  };
}

function writeToken(name: string): string {
  return `demo-${Buffer.from(name, 'utf8').toString('base64url')}`;
}

function openToken(token: string): string {
  const name = Buffer.from(token.slice('demo-'.length), 'base64url').toString('utf8');
  if (name === '' || writeToken(name) !== token) {
    throw invalid('continuation-token', 'the continuation token provided is incorrect');
  }
  return name;
}

function invalid(name: string, message: string): Error {
  return storeError('InvalidArgument', { message, fields: { ArgumentName: name } });
}
