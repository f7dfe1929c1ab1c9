import type { Checksum, ChecksumAlgorithm } from './checksum.ts';
import { storeError } from './errors.ts';

/** How the checksum of a multipart object came about. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** The checksum an object is kept with. */
export interface ObjectChecksum extends Checksum {
  readonly type: ChecksumType;
}

/** The tags of an object. */
export type Tags = ReadonlyMap<string, string>;

/** One object; never changed, only replaced. */
export interface StoredObject {
  readonly key: string;
  readonly body: Buffer;
  /** Without the quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** `content-type` and its like, and `x-amz-meta-*`, as they came. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: ObjectChecksum | undefined;
  readonly tags: Tags;
}

/** One part of an upload in progress. */
export interface UploadedPart {
  readonly partNumber: number;
  readonly body: Buffer;
  /** Without the quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly checksum: Checksum | undefined;
}

/** A multipart upload in progress. */
export interface Upload {
  readonly uploadId: string;
  readonly key: string;
  readonly initiatedMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType;
  readonly tags: Tags;
  readonly parts: Map<number, UploadedPart>;
}

/** One bucket. */
export interface Bucket {
  readonly name: string;
  readonly createdMs: number;
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, Upload>;
}

/** Everything the store holds, in memory only: it is gone with the process. */
export interface Contents {
  readonly region: string;
  readonly buckets: Map<string, Bucket>;
}

/** The bucket of that name. Throws NoSuchBucket. */
export function bucketOf(contents: Contents, name: string): Bucket {
  const bucket = contents.buckets.get(name);
  if (bucket === undefined) throw storeError('NoSuchBucket', { fields: { BucketName: name } });
  return bucket;
}

/**
 * The object a request names. Nothing is versioned here, so the only version id there is is `null`. Throws NoSuchBucket,
 * NoSuchKey, NoSuchVersion.
 */
export function objectOf(
  named: {
    readonly bucketName: string;
    readonly key: string;
    readonly query: ReadonlyMap<string, string>;
  },
  contents: Contents,
): StoredObject {
  const object = bucketOf(contents, named.bucketName).objects.get(named.key);
  checkVersion(named);
  if (object === undefined) throw storeError('NoSuchKey', { fields: { Key: named.key } });
  return object;
}

/** Throws NoSuchVersion for any version but `null`. */
export function checkVersion({ query, key }: { query: ReadonlyMap<string, string>; key: string }): void {
  const versionId = query.get('versionId') ?? 'null';
  if (versionId !== 'null') throw storeError('NoSuchVersion', { fields: { Key: key, VersionId: versionId } });
}

/** Orders keys as S3 does: by their UTF-8 bytes, which differs from JavaScript's order beyond U+FFFF. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}
