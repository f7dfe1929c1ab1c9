import { type Answer, xmlAnswer } from './answer.ts';
import { owner } from './bucket-operations.ts';
import { checksumElement } from './checksum.ts';
import { bucketOf, type Contents, compareKeys, type Upload } from './contents.ts';
import { listEntries, readNameEncoding } from './listing.ts';
import { uploadOf } from './multipart-upload.ts';
import { readCount, type StoreCall } from './store-call.ts';

const maxPerPage = 1000;

/** ListParts. Throws NoSuchUpload, InvalidArgument. */
export function listParts(call: StoreCall, contents: Contents): Answer {
  const upload = uploadOf(call, contents);
  const maxParts = readCount(call, 'max-parts', maxPerPage);
  const marker = call.query.has('part-number-marker') ? readCount(call, 'part-number-marker', 10_000) : 0;
  const names = readNameEncoding(call);
  const remaining = [...upload.parts.values()]
    .filter(({ partNumber }) => partNumber > marker)
    .sort((left, right) => left.partNumber - right.partNumber);
  const page = remaining.slice(0, maxParts);
  return xmlAnswer('ListPartsResult', {
    Bucket: call.bucketName,
    Key: names.encode(upload.key),
    UploadId: upload.uploadId,
    EncodingType: names.encodingType,
    Initiator: owner,
    Owner: owner,
    StorageClass: 'STANDARD',
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.partNumber ?? 0,
    MaxParts: maxParts,
    IsTruncated: maxParts > 0 && remaining.length > page.length,
    ChecksumAlgorithm: upload.checksumAlgorithm,
    ChecksumType: upload.checksumAlgorithm === undefined ? undefined : upload.checksumType,
    Part: page.map(({ partNumber, etag, body, lastModifiedMs, checksum }) => ({
      PartNumber: partNumber,
      LastModified: new Date(lastModifiedMs).toISOString(),
      ETag: `"${etag}"`,
      Size: body.length,
      ...(checksum === undefined ? {} : { [checksumElement(checksum.algorithm)]: checksum.value }),
    })),
  });
}

/** ListMultipartUploads, ordered by key and then by upload id. Throws InvalidArgument. */
export function listMultipartUploads(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  const names = readNameEncoding(call);
  const prefix = call.query.get('prefix') ?? '';
  const delimiter = call.query.get('delimiter') ?? '';
  const keyMarker = call.query.get('key-marker') ?? '';
  const uploadIdMarker = call.query.get('upload-id-marker') ?? '';
  const maxUploads = readCount(call, 'max-uploads', maxPerPage);
  const sorted = [...bucket.uploads.values()]
    .filter((upload) => isAfter(upload, keyMarker, uploadIdMarker))
    .sort((left, right) => compareKeys(left.key, right.key) || compareKeys(left.uploadId, right.uploadId));
  const listing = listEntries(sorted, { prefix, delimiter, after: keyMarker, maxItems: maxUploads });
  const next = listing.isTruncated ? listing.last : undefined;
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    Prefix: names.encode(prefix),
    Delimiter: delimiter === '' ? undefined : names.encode(delimiter),
    EncodingType: names.encodingType,
    KeyMarker: names.encode(keyMarker),
    UploadIdMarker: uploadIdMarker,
    NextKeyMarker: next === undefined ? undefined : names.encode(next.name),
    NextUploadIdMarker: next?.entry?.uploadId,
    MaxUploads: maxUploads,
    IsTruncated: listing.isTruncated,
    Upload: listing.entries.map(({ key, uploadId, initiatedMs }) => ({
      Key: names.encode(key),
      UploadId: uploadId,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      Initiated: new Date(initiatedMs).toISOString(),
    })),
    CommonPrefixes: listing.commonPrefixes.map((common) => ({ Prefix: names.encode(common) })),
  });
}

// Without a key marker the upload id marker is ignored, as on AWS.
function isAfter(upload: Upload, keyMarker: string, uploadIdMarker: string): boolean {
  const order = compareKeys(upload.key, keyMarker);
  if (order !== 0 || uploadIdMarker === '') return order > 0;
  return compareKeys(upload.uploadId, uploadIdMarker) > 0;
}
