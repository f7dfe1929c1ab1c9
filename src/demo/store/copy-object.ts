import { createHash } from 'node:crypto';
import { HeaderList } from '../../core/header-list.ts';
import { decodeTargetText } from '../../core/request-target.ts';
import { type Answer, xmlAnswer } from './answer.ts';
import { checksumElement, checksumOf } from './checksum.ts';
import { bucketOf, type Contents, objectOf, type StoredObject } from './contents.ts';
import { storeError } from './errors.ts';
import { readPartNumber, uploadOf } from './multipart-upload.ts';
import { keptHeaders } from './object-headers.ts';
import { checkReadConditions, checkWriteConditions } from './preconditions.ts';
import type { StoreCall } from './store-call.ts';
import { readTaggingHeader } from './tagging.ts';

const conditionPrefix = 'x-amz-copy-source-';

/**
 * CopyObject. A copy onto itself must change something, as on AWS. Throws InvalidArgument, InvalidRequest, NoSuchBucket,
 * NoSuchKey, NoSuchVersion, PreconditionFailed.
 */
export function copyObject(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  const source = readSource(call, contents);
  const isNewMetadata = readDirective(call, 'x-amz-metadata-directive') === 'REPLACE';
  const isNewTags = readDirective(call, 'x-amz-tagging-directive') === 'REPLACE';
  if (source === bucket.objects.get(call.key) && !isNewMetadata && !isNewTags) {
    throw storeError('InvalidRequest', { message: 'an object can be copied to itself only to change it' });
  }
  checkWriteConditions(call.headers, call.key, bucket.objects.get(call.key));
  bucket.objects.set(call.key, {
    ...source,
    key: call.key,
    etag: createHash('md5').update(source.body).digest('hex'),
    lastModifiedMs: call.nowMs,
    headers: isNewMetadata ? keptHeaders(call.headers) : source.headers,
    tags: isNewTags ? readTaggingHeader(call) : source.tags,
  });
  const { etag } = objectOf({ ...call, query: new Map() }, contents);
  return xmlAnswer('CopyObjectResult', {
    LastModified: new Date(call.nowMs).toISOString(),
    ETag: `"${etag}"`,
    ...(source.checksum === undefined
      ? {}
      : { [checksumElement(source.checksum.algorithm)]: source.checksum.value }),
  });
}

/** UploadPartCopy. Throws what CopyObject throws, NoSuchUpload, and InvalidRange for a range outside the source. */
export function uploadPartCopy(call: StoreCall, contents: Contents): Answer {
  const partNumber = readPartNumber(call.query.get('partNumber') ?? '');
  const upload = uploadOf(call, contents);
  const source = readSource(call, contents);
  const body = readRange(call.headers.get('x-amz-copy-source-range'), source.body);
  const { checksumAlgorithm: algorithm } = upload;
  const checksum = algorithm === undefined ? undefined : checksumOf(algorithm, body);
  const etag = createHash('md5').update(body).digest('hex');
  upload.parts.set(partNumber, { partNumber, body, etag, lastModifiedMs: call.nowMs, checksum });
  return xmlAnswer('CopyPartResult', {
    LastModified: new Date(call.nowMs).toISOString(),
    ETag: `"${etag}"`,
    ...(checksum === undefined ? {} : { [checksumElement(checksum.algorithm)]: checksum.value }),
  });
}

function readSource(call: StoreCall, contents: Contents): StoredObject {
  const header = call.headers.get('x-amz-copy-source') ?? '';
  const [path = '', version] = header.split('?versionId=');
  const name = decodeTargetText(path)?.replace(/^\//, '');
  const versionId = version === undefined ? undefined : decodeTargetText(version);
  const slash = name?.indexOf('/') ?? -1;
  if (name === undefined || slash <= 0 || slash === name.length - 1) throw storeError('InvalidArgument');
  const query = new Map(versionId === undefined ? [] : [['versionId', versionId]]);
  const address = { bucketName: name.slice(0, slash), key: name.slice(slash + 1) };
  const source = objectOf({ ...address, query }, contents);
  // The conditions on the source are those of a read under other names; none of them answers 304 here.
  if (checkReadConditions(sourceConditions(call.headers), source) === 'not-modified') {
    throw storeError('PreconditionFailed');
  }
  return source;
}

function sourceConditions(headers: HeaderList): HeaderList {
  const conditions = [...headers].filter(({ name }) => name.startsWith(`${conditionPrefix}if-`));
  return new HeaderList(
    conditions.map(({ name, value }) => ({ name: name.slice(conditionPrefix.length), value })),
  );
}

function readDirective(call: StoreCall, header: string): 'COPY' | 'REPLACE' {
  const value = call.headers.get(header) ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw storeError('InvalidArgument', { fields: { ArgumentName: header, ArgumentValue: value } });
}

function readRange(header: string | undefined, body: Buffer): Buffer {
  if (header === undefined) return body;
  const [, first = '', last = ''] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (first === '' || Number(first) > Number(last)) throw storeError('InvalidArgument');
  if (Number(last) >= body.length) throw storeError('InvalidRange');
  return body.subarray(Number(first), Number(last) + 1);
}
