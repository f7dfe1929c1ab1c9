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
import { deleteObjects } from './delete-objects.ts';
import { storeError } from './errors.ts';
import { listObjectsV1, listObjectsV2 } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './multipart-upload.ts';
import { deleteObject, getObject, putObject, responseOverrides } from './object-operations.ts';
import type { Address, StoreCall } from './store-call.ts';

/** Does one operation on the contents, at once: nothing interrupts it half-way. */
export type Operation = (call: StoreCall, contents: Contents) => Answer;

interface Row {
  readonly method: string;
  readonly on: 'service' | 'bucket' | 'object';
  /** Query parameters that make a request this operation; all must be there. */
  readonly selectors: readonly string[];
  /** Query parameters it may have besides. */
  readonly options: readonly string[];
  readonly operation: Operation;
}

const listing = ['prefix', 'delimiter', 'encoding-type'];
const listV1 = [...listing, 'max-keys', 'marker'];
const listV2 = [...listing, 'max-keys', 'start-after', 'continuation-token', 'fetch-owner'];
const uploads = [...listing, 'key-marker', 'upload-id-marker', 'max-uploads'];
const parts = ['max-parts', 'part-number-marker', 'encoding-type'];
const part = ['partNumber', 'uploadId'];

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
  row('GET', 'object', [], responseOverrides, getObject),
  row('HEAD', 'object', [], responseOverrides, getObject),
  row('PUT', 'object', [], [], putObject),
  row('DELETE', 'object', [], [], deleteObject),
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
  return { method, on, selectors, options, operation };
}

/**
 * The one operation a request asks for. A query parameter that the operation does not know makes it another
 * operation, one this store does not have. Throws NotImplemented.
 */
export function findOperation(
  method: string,
  address: Address,
  query: ReadonlyMap<string, string>,
): Operation {
  const on = address.bucketName === '' ? 'service' : address.key === '' ? 'bucket' : 'object';
  const found = rows.find(
    (candidate) => candidate.method === method && candidate.on === on && fits(candidate, query),
  );
  if (found === undefined) throw storeError('NotImplemented');
  return found.operation;
}

function fits({ selectors, options }: Row, query: ReadonlyMap<string, string>): boolean {
  if (!selectors.every((name) => query.has(name))) return false;
  // `x-id` only names the operation for logs; the JavaScript SDK sends it.
  return [...query.keys()].every(
    (name) => name === 'x-id' || selectors.includes(name) || options.includes(name),
  );
}
