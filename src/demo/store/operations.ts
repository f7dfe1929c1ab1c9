import type { HeaderList } from '../../core/header-list.ts';
import type { Answer } from './answer.ts';
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from './bucket-operations.ts';
import { completeMultipartUpload } from './complete-multipart-upload.ts';
import type { Contents } from './contents.ts';
import { copyObject, uploadPartCopy } from './copy-object.ts';
import { deleteObjects } from './delete-objects.ts';
import { storeError } from './errors.ts';
import { listObjectsV1, listObjectsV2 } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './multipart-upload.ts';
import { getObjectAttributes } from './object-attributes.ts';
import { deleteObject, getObject, putObject, responseOverrides } from './object-operations.ts';
import type { Address, StoreCall } from './store-call.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './tagging.ts';
import { getBucketVersioning, listObjectVersions } from './versions.ts';

/** Does one operation on the contents, at once: nothing interrupts it half-way. */
export type Operation = (call: StoreCall, contents: Contents) => Answer;

/** One operation of the store. */
export interface Row {
  readonly method: string;
  readonly on: 'service' | 'bucket' | 'object';
  /** Query parameters that make a request this operation; all must be there. */
  readonly selectors: readonly string[];
  /** Query parameters it may have besides. */
  readonly options: readonly string[];
  /** `x-amz-*` headers it knows beside the plain ones. */
  readonly headers: readonly string[];
  readonly operation: Operation;
}

const listing = ['prefix', 'delimiter', 'encoding-type'];
const listV1 = [...listing, 'max-keys', 'marker'];
const listV2 = [...listing, 'max-keys', 'start-after', 'continuation-token', 'fetch-owner'];
const uploads = [...listing, 'key-marker', 'upload-id-marker', 'max-uploads'];
const parts = ['max-parts', 'part-number-marker', 'encoding-type'];
const part = ['partNumber', 'uploadId'];

const versions = [...listing, 'max-keys', 'key-marker', 'version-id-marker'];
const readOptions = [...responseOverrides, 'versionId'];
const copySource = 'x-amz-copy-source';
const copyHeaders = [
  copySource,
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-unmodified-since',
];
const headersOf: ReadonlyMap<Operation, readonly string[]> = new Map<Operation, readonly string[]>([
  [copyObject, [...copyHeaders, 'x-amz-metadata-directive', 'x-amz-tagging', 'x-amz-tagging-directive']],
  [createMultipartUpload, ['x-amz-tagging']],
  [getObjectAttributes, ['x-amz-object-attributes']],
  [putObject, ['x-amz-tagging']],
  [uploadPartCopy, [...copyHeaders, 'x-amz-copy-source-range']],
]);
/** What an upload becomes when it names a source. */
const copies: ReadonlyMap<Operation, Operation> = new Map([
  [putObject, copyObject],
  [uploadPart, uploadPartCopy],
]);

const rows: readonly Row[] = [
  row('GET', 'service', [], [], listBuckets),
  row('PUT', 'bucket', [], [], createBucket),
  row('HEAD', 'bucket', [], [], headBucket),
  row('DELETE', 'bucket', [], [], deleteBucket),
  row('GET', 'bucket', ['location'], [], getBucketLocation),
  row('GET', 'bucket', ['list-type'], listV2, listObjectsV2),
  row('GET', 'bucket', ['uploads'], uploads, listMultipartUploads),
  row('GET', 'bucket', [], listV1, listObjectsV1),
  row('POST', 'bucket', ['delete'], [], deleteObjects),
  row('GET', 'object', [], readOptions, getObject),
  row('GET', 'bucket', ['versioning'], [], getBucketVersioning),
  row('GET', 'bucket', ['versions'], versions, listObjectVersions),
  row('HEAD', 'object', [], readOptions, getObject),
  row('GET', 'object', ['tagging'], ['versionId'], getObjectTagging),
  row('PUT', 'object', ['tagging'], ['versionId'], putObjectTagging),
  row('DELETE', 'object', ['tagging'], ['versionId'], deleteObjectTagging),
  row('GET', 'object', ['attributes'], ['versionId'], getObjectAttributes),
  row('PUT', 'object', [], [], putObject),
  row('DELETE', 'object', [], ['versionId'], deleteObject),
  row('POST', 'object', ['uploads'], [], createMultipartUpload),
  row('PUT', 'object', part, [], uploadPart),
  row('POST', 'object', ['uploadId'], [], completeMultipartUpload),
  row('DELETE', 'object', ['uploadId'], [], abortMultipartUpload),
  row('GET', 'object', ['uploadId'], parts, listParts),
];

function row(
  method: string,
  on: Row['on'],
  selectors: readonly string[],
  ...rest: readonly [options: readonly string[], operation: Operation]
): Row {
  const [options, operation] = rest;
  return { method, on, selectors, options, headers: headersOf.get(operation) ?? [], operation };
}

/**
 * The one operation a request asks for. A query parameter that the operation does not know makes it another
 * operation, one this store does not have. Throws NotImplemented.
 */
export function findOperation(
  method: string,
  address: Address,
  request: { readonly query: ReadonlyMap<string, string>; readonly headers: HeaderList },
): Pick<Row, 'operation' | 'headers'> {
  const { query, headers } = request;
  const on = address.bucketName === '' ? 'service' : address.key === '' ? 'bucket' : 'object';
  const found = rows.find(
    (candidate) => candidate.method === method && candidate.on === on && fits(candidate, query),
  );
  if (found === undefined) throw storeError('NotImplemented');
  const copy = headers.has(copySource) ? copies.get(found.operation) : undefined;
  return copy === undefined ? found : { operation: copy, headers: headersOf.get(copy) ?? [] };
}

function fits({ selectors, options }: Row, query: ReadonlyMap<string, string>): boolean {
  if (!selectors.every((name) => query.has(name))) return false;
  // `x-id` only names the operation for logs; the JavaScript SDK sends it.
  return [...query.keys()].every(
    (name) => name === 'x-id' || selectors.includes(name) || options.includes(name),
  );
}
