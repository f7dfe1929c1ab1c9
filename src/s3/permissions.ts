import type { CopySource } from './copy-source.ts';
import {
  bucketArn,
  type ForwardedHeaders,
  objectArn,
  type Permission,
  type S3Operation,
  type S3Request,
} from './operation.ts';

/** What the permissions of a request depend on. */
export interface RequestedResource {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: ForwardedHeaders;
  readonly copySource?: CopySource | undefined;
}

/** Every (action, resource) pair that must be allowed (AWS: "Required permissions for S3 API operations"). */
export function requiredPermissions(request: RequestedResource, partition: string): Permission[] {
  const { operation, headers, copySource } = request;
  if (operation.action === undefined) return [];
  const resource = resourceArn(request, partition);
  const isVersioned = request.parameters.has('versionId');
  const action = isVersioned ? (operation.versionAction ?? operation.action) : operation.action;
  const further = operation.conditionalActions?.(headers, isVersioned) ?? [];
  const object = objectOf(request);
  const own = [action, ...further].map((name) => ({ action: name, resource, object }));
  if (copySource === undefined) return own;
  const tags = headers.has(tagDirective) ? copyTags(request, partition) : [];
  return [...own, readSource(copySource, 's3:GetObject', partition), ...tags];
}

const versionActions: ReadonlyMap<string, string> = new Map([
  ['s3:GetObject', 's3:GetObjectVersion'],
  ['s3:GetObjectTagging', 's3:GetObjectVersionTagging'],
]);

// A decision of its own: the version is the source's, not that of the object that is made.
function readSource({ bucket, key, versionId }: CopySource, action: string, partition: string): Permission {
  const resource = objectArn(partition, bucket, key);
  const object = { bucket, key, versionId };
  if (versionId === undefined) return { action, resource, object };
  const conditionKeys = [['s3:versionid', [versionId]]] as const;
  return { action: versionActions.get(action) ?? action, resource, object, conditionKeys };
}

/**
 * A copy takes the source's tags along unless it is told otherwise, which reads tags and writes tags. On AWS that needs
 * the permissions only where there are any. Here it needs them when the request says `COPY`; when it says nothing, the
 * store is told to leave the tags behind unless the caller has both.
 */
export function tagCopyRules(request: RequestedResource, partition: string): S3Request['unlessPermitted'] {
  if (request.copySource === undefined || request.headers.has(tagDirective)) return undefined;
  const permissions = copyTags(request, partition);
  return permissions.length === 0
    ? undefined
    : { permissions, headers: new Map([[tagDirective, 'REPLACE']]) };
}

const tagDirective = 'x-amz-tagging-directive';

function copyTags(request: RequestedResource, partition: string): Permission[] {
  const { operation, headers, copySource } = request;
  const isReplaced = headers.get(tagDirective) === 'REPLACE';
  if (operation.name !== 'CopyObject' || copySource === undefined || isReplaced) return [];
  return [
    readSource(copySource, 's3:GetObjectTagging', partition),
    {
      action: 's3:PutObjectTagging',
      resource: resourceArn(request, partition),
      object: objectOf(request),
      // Which tags would be set is known to the store alone.
      unknownKeys: ['s3:requestobjecttag/', 's3:requestobjecttagkeys'],
    },
  ];
}

function resourceArn({ operation, bucket, key }: RequestedResource, partition: string): string {
  switch (operation.scope) {
    case 'service':
      return bucketArn(partition, '*');
    case 'bucket':
      return bucketArn(partition, bucket);
    case 'object':
      return objectArn(partition, bucket, key);
  }
}

function objectOf({ operation, bucket, key, parameters }: RequestedResource): Permission['object'] {
  if (operation.scope !== 'object') return undefined;
  return { bucket, key, versionId: parameters.get('versionId') };
}

const reads: ReadonlySet<string> = new Set(['GetObject', 'HeadObject']);
const namesAnObject: ReadonlySet<string> = new Set([
  ...reads,
  'DeleteObjectTagging',
  'GetObjectAttributes',
  'GetObjectTagging',
  'PutObjectTagging',
]);

/** What a read may show of the object beside its bytes, and who may learn that it is missing. */
export function responseRules(
  request: RequestedResource,
  partition: string,
): Pick<S3Request, 'seesMissing' | 'guardedHeaders'> {
  const { operation, copySource } = request;
  const probed = copySource?.bucket ?? (namesAnObject.has(operation.name) ? request.bucket : undefined);
  if (probed === undefined) return { guardedHeaders: [] };
  const seesMissing = { action: 's3:ListBucket', resource: bucketArn(partition, probed), object: undefined };
  if (!reads.has(operation.name)) return { seesMissing, guardedHeaders: [] };
  const resource = resourceArn(request, partition);
  const object = objectOf(request);
  const tagging = request.parameters.has('versionId') ? 's3:GetObjectVersionTagging' : 's3:GetObjectTagging';
  return {
    seesMissing,
    guardedHeaders: [
      ['x-amz-tagging-count', { action: tagging, resource, object }],
      ['x-amz-object-lock-mode', { action: 's3:GetObjectRetention', resource, object }],
      ['x-amz-object-lock-retain-until-date', { action: 's3:GetObjectRetention', resource, object }],
      ['x-amz-object-lock-legal-hold', { action: 's3:GetObjectLegalHold', resource, object }],
    ],
  };
}
