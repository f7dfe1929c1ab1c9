import { type Answer, xmlAnswer } from './answer.ts';
import { owner } from './bucket-operations.ts';
import { bucketOf, type Contents, compareKeys } from './contents.ts';
import { listEntries, readNameEncoding } from './listing.ts';
import { readCount, type StoreCall } from './store-call.ts';

const maxKeysPerPage = 1000;

/** GetBucketVersioning: never switched on, which is an empty document. */
export function getBucketVersioning(call: StoreCall, contents: Contents): Answer {
  bucketOf(contents, call.bucketName);
  return xmlAnswer('VersioningConfiguration', {});
}

/** ListObjectVersions: every object has the one version `null`. Throws InvalidArgument. */
export function listObjectVersions(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  const names = readNameEncoding(call);
  const prefix = call.query.get('prefix') ?? '';
  const delimiter = call.query.get('delimiter') ?? '';
  const after = call.query.get('key-marker') ?? '';
  const maxKeys = readCount(call, 'max-keys', maxKeysPerPage);
  const sorted = [...bucket.objects.values()]
    .filter(({ key }) => compareKeys(key, after) > 0)
    .sort((left, right) => compareKeys(left.key, right.key));
  const listing = listEntries(sorted, { prefix, delimiter, after, maxItems: maxKeys });
  const next = listing.isTruncated ? listing.last : undefined;
  return xmlAnswer('ListVersionsResult', {
    Name: bucket.name,
    Prefix: names.encode(prefix),
    Delimiter: delimiter === '' ? undefined : names.encode(delimiter),
    EncodingType: names.encodingType,
    KeyMarker: names.encode(after),
    VersionIdMarker: call.query.get('version-id-marker') ?? '',
    NextKeyMarker: next === undefined ? undefined : names.encode(next.name),
    NextVersionIdMarker: next?.entry === undefined ? undefined : 'null',
    MaxKeys: maxKeys,
    IsTruncated: listing.isTruncated,
    Version: listing.entries.map(({ key, etag, body, lastModifiedMs }) => ({
      Key: names.encode(key),
      VersionId: 'null',
      IsLatest: true,
      LastModified: new Date(lastModifiedMs).toISOString(),
      ETag: `"${etag}"`,
      Size: body.length,
      StorageClass: 'STANDARD',
      Owner: owner,
    })),
    CommonPrefixes: listing.commonPrefixes.map((common) => ({ Prefix: names.encode(common) })),
  });
}
