import type { S3Operation } from '../operation.ts';
import { copyHeaders, ifMatchActions, newObjectHeaders, wholeObjectActions } from './permission-rules.ts';

// Up to 10,000 parts with an ETag and a checksum each.
const maxCompleteBytes = 4 * 1024 * 1024;

/**
 * Multipart uploads. ACL, tags and retention are bound, and so authorized, when the upload is created. `If-Match` is AWS's
 * for completing alone, but some stores obey it from the start.
 */
export const multipartOperations: readonly S3Operation[] = [
  {
    name: 'CreateMultipartUpload',
    method: 'POST',
    scope: 'object',
    selectors: ['uploads'],
    parameters: [],
    headers: newObjectHeaders,
    body: 'none',
    action: 's3:PutObject',
    conditionalActions: wholeObjectActions,
    fixedContext: { 's3:ObjectCreationOperation': 'false' },
  },
  {
    name: 'UploadPart',
    method: 'PUT',
    scope: 'object',
    selectors: ['partNumber=*', 'uploadId=*'],
    parameters: [],
    headers: [],
    body: 'object',
    action: 's3:PutObject',
    conditionalActions: ifMatchActions,
    fixedContext: { 's3:ObjectCreationOperation': 'false' },
  },
  {
    name: 'UploadPartCopy',
    method: 'PUT',
    scope: 'object',
    selectors: ['partNumber=*', 'uploadId=*'],
    selectingHeader: 'x-amz-copy-source',
    parameters: [],
    headers: [...copyHeaders, 'x-amz-copy-source-range'],
    body: 'none',
    action: 's3:PutObject',
    conditionalActions: ifMatchActions,
    fixedContext: { 's3:ObjectCreationOperation': 'false' },
    copies: 'part',
    mayFailLate: true,
  },
  {
    name: 'ListParts',
    method: 'GET',
    scope: 'object',
    selectors: ['uploadId=*'],
    parameters: ['max-parts', 'part-number-marker', 'encoding-type'],
    headers: [],
    body: 'none',
    action: 's3:ListMultipartUploadParts',
  },
  {
    name: 'ListMultipartUploads',
    method: 'GET',
    scope: 'bucket',
    selectors: ['uploads'],
    parameters: ['delimiter', 'encoding-type', 'key-marker', 'max-uploads', 'prefix', 'upload-id-marker'],
    headers: [],
    body: 'none',
    action: 's3:ListBucketMultipartUploads',
  },
  {
    name: 'CompleteMultipartUpload',
    method: 'POST',
    scope: 'object',
    selectors: ['uploadId=*'],
    parameters: [],
    headers: ['x-amz-mp-object-size'],
    body: 'document',
    document: { maxBytes: maxCompleteBytes },
    checksumsOfAnother: true,
    action: 's3:PutObject',
    completesUpload: true,
    mayFailLate: true,
    makesVersion: true,
    conditionalActions: ifMatchActions,
    conditions: new Map([
      ['if-match', 'conditionalComplete'],
      ['if-none-match', 'conditionalComplete'],
    ]),
    fixedContext: { 's3:ObjectCreationOperation': 'true' },
  },
  {
    name: 'AbortMultipartUpload',
    method: 'DELETE',
    scope: 'object',
    selectors: ['uploadId=*'],
    parameters: [],
    headers: ['x-amz-if-match-initiated-time'],
    body: 'none',
    action: 's3:AbortMultipartUpload',
    conditions: new Map([['x-amz-if-match-initiated-time', 'sizeAndTimeConditions']]),
  },
];
