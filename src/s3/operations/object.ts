import type { S3Operation } from '../operation.ts';
import { bypassActions, ifMatchActions, newObjectActions, newObjectHeaders } from './permission-rules.ts';

const readParameters = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'versionId',
  'partNumber',
];

/** Operations on one object. */
export const objectOperations: readonly S3Operation[] = [
  {
    name: 'GetObject',
    method: 'GET',
    scope: 'object',
    selectors: [],
    parameters: readParameters,
    headers: [],
    body: 'none',
    action: 's3:GetObject',
    versionAction: 's3:GetObjectVersion',
  },
  {
    name: 'HeadObject',
    method: 'HEAD',
    scope: 'object',
    selectors: [],
    parameters: readParameters,
    headers: [],
    body: 'none',
    action: 's3:GetObject',
    versionAction: 's3:GetObjectVersion',
  },
  {
    name: 'PutObject',
    method: 'PUT',
    scope: 'object',
    selectors: [],
    parameters: [],
    headers: newObjectHeaders,
    body: 'object',
    action: 's3:PutObject',
    conditionalActions: (headers) => [...newObjectActions(headers), ...ifMatchActions(headers)],
    fixedContext: { 's3:ObjectCreationOperation': 'true' },
  },
  {
    name: 'DeleteObject',
    method: 'DELETE',
    scope: 'object',
    selectors: [],
    parameters: ['versionId'],
    headers: ['x-amz-bypass-governance-retention'],
    body: 'none',
    action: 's3:DeleteObject',
    versionAction: 's3:DeleteObjectVersion',
    conditionalActions: (headers) => [...bypassActions(headers), ...ifMatchActions(headers)],
  },
];
