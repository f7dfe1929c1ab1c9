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
}

/** Every (action, resource) pair that must be allowed (AWS: "Required permissions for S3 API operations"). */
export function requiredPermissions(request: RequestedResource, partition: string): Permission[] {
  const { operation, headers } = request;
  if (operation.action === undefined) return [];
  const resource = resourceArn(request, partition);
  const isVersioned = request.parameters.has('versionId');
  const action = isVersioned ? (operation.versionAction ?? operation.action) : operation.action;
  const further = operation.conditionalActions?.(headers) ?? [];
  return [action, ...further].map((name) => ({ action: name, resource }));
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

const reads: ReadonlySet<string> = new Set(['GetObject', 'HeadObject']);

/** What a read may show of the object beside its bytes, and who may learn that it is missing. */
export function responseRules(
  request: RequestedResource,
  partition: string,
): Pick<S3Request, 'seesMissing' | 'guardedHeaders'> {
  if (!reads.has(request.operation.name)) return { guardedHeaders: [] };
  const resource = resourceArn(request, partition);
  const tagging = request.parameters.has('versionId') ? 's3:GetObjectVersionTagging' : 's3:GetObjectTagging';
  return {
    seesMissing: { action: 's3:ListBucket', resource: bucketArn(partition, request.bucket) },
    guardedHeaders: [
      ['x-amz-tagging-count', { action: tagging, resource }],
      ['x-amz-object-lock-mode', { action: 's3:GetObjectRetention', resource }],
      ['x-amz-object-lock-retain-until-date', { action: 's3:GetObjectRetention', resource }],
      ['x-amz-object-lock-legal-hold', { action: 's3:GetObjectLegalHold', resource }],
    ],
  };
}
