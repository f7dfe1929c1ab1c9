import type { S3Operation } from '../operation.ts';

/** AWS's limit for the text of one annotation. */
const maxBytes = 1024 * 1024;

const named = ['annotation', 'annotationName=*'];

/** Texts kept beside an object, each under a name. */
export const annotationOperations: readonly S3Operation[] = [
  {
    name: 'GetObjectAnnotation',
    method: 'GET',
    scope: 'object',
    unlessKnown: 'annotations',
    selectors: named,
    parameters: ['versionId'],
    headers: [],
    body: 'none',
    action: 's3:GetObjectAnnotation',
    versionAction: 's3:GetObjectVersionAnnotation',
    revealsMissing: true,
  },
  {
    name: 'PutObjectAnnotation',
    method: 'PUT',
    scope: 'object',
    unlessKnown: 'annotations',
    selectors: named,
    parameters: ['versionId'],
    headers: ['x-amz-object-if-match'],
    body: 'document',
    document: { maxBytes },
    action: 's3:PutObjectAnnotation',
    versionAction: 's3:PutObjectVersionAnnotation',
    revealsMissing: true,
  },
  {
    name: 'DeleteObjectAnnotation',
    method: 'DELETE',
    scope: 'object',
    unlessKnown: 'annotations',
    selectors: named,
    parameters: ['versionId'],
    headers: ['x-amz-object-if-match'],
    body: 'none',
    action: 's3:DeleteObjectAnnotation',
    versionAction: 's3:DeleteObjectVersionAnnotation',
    revealsMissing: true,
  },
  {
    name: 'ListObjectAnnotations',
    method: 'GET',
    scope: 'object',
    unlessKnown: 'annotations',
    selectors: ['annotation'],
    parameters: ['versionId', 'max-annotation-results', 'annotation-prefix', 'continuation-token'],
    headers: [],
    body: 'none',
    action: 's3:ListObjectAnnotations',
    versionAction: 's3:ListObjectVersionAnnotations',
    revealsMissing: true,
  },
];
