import {
  bucketArn,
  objectArn,
  type Permission,
  type RequestedResource,
  type S3Request,
} from './operation.ts';
import { readSource, tagCopyOf } from './tag-copy.ts';

/** All permissions that a request depends on. */
export type RequestPermissions = Pick<
  S3Request,
  'permissions' | 'tagCopy' | 'seesMissing' | 'guardedHeaders'
>;

/** Every (action, resource) pair that a request, or its answer, needs. */
export function permissionsOf(request: RequestedResource, partition: string): RequestPermissions {
  const { operation, copySource } = request;
  const own = ownPermission(request, partition);
  return {
    permissions: requiredPermissions(request, own, partition),
    tagCopy: copySource === undefined ? undefined : tagCopyOf(request, copySource, own, partition),
    seesMissing: missingRules(request, partition),
    guardedHeaders: operation.guardsHeaders === true ? guardedHeaders(own) : noGuards,
  };
}

const noGuards: S3Request['guardedHeaders'] = [];

// The operation's own action on the resource that the request names. Its conditional actions have the same resource.
function ownPermission(request: RequestedResource, partition: string): Permission {
  const { operation, bucket, key, parameters } = request;
  const versionId = parameters.get('versionId');
  const plain = operation.action ?? '';
  return {
    action: versionId === undefined ? plain : (operation.versionAction ?? plain),
    resource: resourceArn(request, partition),
    object:
      operation.scope === 'object'
        ? { bucket, key, versionId, aliases: operation.aliasesOf?.(key) }
        : undefined,
  };
}

/** What must be allowed (AWS: "Required permissions for S3 API operations"). */
function requiredPermissions(request: RequestedResource, own: Permission, partition: string): Permission[] {
  const { operation, headers, copySource } = request;
  if (operation.action === undefined) return [];
  const permissions = [own];
  if (operation.conditionalActions !== undefined) {
    const further = operation.conditionalActions(headers, request.parameters.has('versionId'));
    for (const action of further) permissions.push({ action, resource: own.resource, object: own.object });
  }
  if (copySource === undefined) return permissions;
  permissions.push(readSource(copySource, 's3:GetObject', partition));
  return permissions;
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

/**
 * The permissions to learn that an object is missing: listing the bucket (AWS "GetObject", on 403 and 404). A copy finds its
 * source missing, and by `If-Match` its destination too; the store does not tell which of them it was.
 */
function missingRules(request: RequestedResource, partition: string): Permission[] {
  const { operation, copySource, headers, bucket } = request;
  const isConditionalWrite = operation.scope === 'object' && headers.has('if-match');
  const isRevealing = isConditionalWrite || (operation.revealsMissing === true && copySource === undefined);
  const rules = isRevealing ? [listing(bucket, partition)] : [];
  if (copySource !== undefined && !(isRevealing && copySource.bucket === bucket))
    rules.push(listing(copySource.bucket, partition));
  return rules;
}

function listing(bucket: string, partition: string): Permission {
  return { action: 's3:ListBucket', resource: bucketArn(partition, bucket), object: undefined };
}

/** Headers of the answer that need a permission of their own. */
function guardedHeaders({ resource, object }: Permission): S3Request['guardedHeaders'] {
  const isVersioned = object?.versionId !== undefined;
  const tagging = isVersioned ? 's3:GetObjectVersionTagging' : 's3:GetObjectTagging';
  const retention = { action: 's3:GetObjectRetention', resource, object };
  return [
    ['x-amz-tagging-count', { action: tagging, resource, object }],
    ['x-amz-object-lock-mode', retention],
    ['x-amz-object-lock-retain-until-date', retention],
    ['x-amz-object-lock-legal-hold', { action: 's3:GetObjectLegalHold', resource, object }],
    ['x-amz-object-lock-event-hold', retention],
    ['x-amz-object-lock-event-hold-duration-days', retention],
    ['x-amz-object-lock-event-hold-duration-years', retention],
  ];
}
