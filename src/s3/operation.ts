import type { RawRequest } from '../core/raw-request.ts';

/** What an operation works on. */
export type OperationScope = 'service' | 'bucket' | 'object';

/** What kind of body an operation takes: none, a small XML document read whole, or an object's bytes. */
export type BodyKind = 'none' | 'document' | 'object';

/** An action on a resource that must be allowed. */
export interface Permission {
  /** `s3:GetObject` */
  readonly action: string;
  /** The resource's ARN. */
  readonly resource: string;
}

/** One row of the operation table. */
export interface S3Operation {
  /** AWS's name, also the value of the `operation` label. */
  readonly name: string;
  readonly method: string;
  readonly scope: OperationScope;
  /** Query parameters that select this operation, as `name` (no value) or `name=value` or `name=*` (any value). */
  readonly selectors: readonly string[];
  /** A header that selects this operation. */
  readonly selectingHeader?: string;
  /** Further query parameters it understands; they are forwarded. */
  readonly parameters: readonly string[];
  /** `x-amz-*` headers it understands beside those of every object operation. */
  readonly headers: readonly string[];
  readonly body: BodyKind;
  /** The IAM action; `undefined` in a row this version refuses with NotImplemented. */
  readonly action: string | undefined;
  /** Replaces `action` when `versionId` is present. */
  readonly versionAction?: string;
  /** Further permissions that headers of the request make necessary. */
  readonly conditionalActions?: (request: S3Request) => readonly string[];
  /** Context keys with a value fixed by the operation. */
  readonly fixedContext?: Readonly<Record<string, string>>;
}

/** One S3 request, classified as exactly one operation. What is authorized and what is forwarded come from here. */
export interface S3Request {
  readonly raw: RawRequest;
  readonly operation: S3Operation;
  /** Empty for service operations. */
  readonly bucket: string;
  /** The decoded key; empty for service and bucket operations. */
  readonly key: string;
  /** Every query parameter that is forwarded, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Every header that is forwarded, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
}

/** True for operations whose request body may be aws-chunked. */
export function allowsStreaming(operation: S3Operation): boolean {
  return operation.body === 'object';
}

/** The ARN of a bucket. */
export function bucketArn(partition: string, bucket: string): string {
  return `arn:${partition}:s3:::${bucket}`;
}

/** The ARN of an object. */
export function objectArn(partition: string, bucket: string, key: string): string {
  return `arn:${partition}:s3:::${bucket}/${key}`;
}

/** The permissions of a request, apart from the per-key ones of DeleteObjects. All must be allowed. */
export function requiredPermissions(request: S3Request, partition: string): Permission[] {
  const { operation, bucket, key } = request;
  if (operation.action === undefined) return [];
  const resource = resourceOf(operation.scope, partition, bucket, key);
  const isVersioned = request.parameters.has('versionId');
  const action = isVersioned ? (operation.versionAction ?? operation.action) : operation.action;
  const further = operation.conditionalActions?.(request) ?? [];
  return [action, ...further].map((name) => ({ action: name, resource }));
}

function resourceOf(scope: OperationScope, partition: string, bucket: string, key: string): string {
  switch (scope) {
    case 'service':
      return bucketArn(partition, '*');
    case 'bucket':
      return bucketArn(partition, bucket);
    case 'object':
      return objectArn(partition, bucket, key);
  }
}
