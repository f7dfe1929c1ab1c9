import type { S3Operation } from '../operation.ts';
import { ifMatchActions, newObjectActions, newObjectHeaders } from './permission-rules.ts';

/** Multipart uploads. ACL, tags and retention are bound, and so authorized, when the upload is created. */
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
    conditionalActions: newObjectActions,
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
    fixedContext: { 's3:ObjectCreationOperation': 'false' },
  },
  {
    name: 'CompleteMultipartUpload',
    method: 'POST',
    scope: 'object',
    selectors: ['uploadId=*'],
    parameters: [],
    headers: ['x-amz-mp-object-size'],
    body: 'document',
    action: 's3:PutObject',
    conditionalActions: ifMatchActions,
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
  },
];
