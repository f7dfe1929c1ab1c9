import type { S3Request } from '../s3/operation.ts';
import type { AuditRecord, AuditResource } from './audit-record.ts';
import { cut } from './cut.ts';

/**
 * Operations on a bucket that CloudTrail records as data events: they are about the objects in it (Amazon S3 User Guide, "Amazon S3
 * CloudTrail events").
 */
const dataEventsOfBuckets: ReadonlySet<string> = new Set([
  'HeadBucket',
  'ListObjects',
  'ListObjectsV2',
  'ListObjectVersions',
  'ListMultipartUploads',
  'DeleteObjects',
  'PostObject',
]);

/** Operations whose event has another name than their API. */
const eventNames: ReadonlyMap<string, string> = new Map([
  // With `list-type` among its parameters.
  ['ListObjectsV2', 'ListObjects'],
  ['CorsPreflight', 'PreflightRequest'],
]);

/** The name of the event of an S3 operation. */
export function s3EventName(operation: string): string {
  return eventNames.get(operation) ?? operation;
}

/** True for an event about objects; false for one about buckets. */
export function isDataEvent(operation: string, request: S3Request | undefined): boolean {
  return dataEventsOfBuckets.has(operation) || request?.operation.scope === 'object';
}

/** True when the operation changes nothing. What is not known might. */
export function isReadOnly(method: string, operation: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || operation === 'SelectObjectContent';
}

/**
 * Headers that are recorded. Others may hold a secret (the key of `SSE-C`), or what the caller says of an object (`x-amz-meta-*`).
 */
const recordedHeaders: readonly string[] = [
  'if-match',
  'if-none-match',
  'range',
  'x-amz-acl',
  'x-amz-bypass-governance-retention',
  'x-amz-copy-source',
  'x-amz-copy-source-range',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-ownership',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class',
  'x-amz-tagging-directive',
];

/** Longest value of a parameter or header: the longest key. */
const maxValue = 1024;

/** Where a request goes, as far as it is known. */
export interface Addressed {
  /** Absent or empty when it is about no bucket. */
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** Its Host header. */
  readonly host: string | undefined;
}

/** What an S3 request asks for: parameters of the query, and some headers. None is of its signature. */
export function s3Parameters(
  request: S3Request | undefined,
  { bucket = '', key = '', host }: Addressed,
): AuditRecord['requestParameters'] {
  const parameters: [name: string, value: string][] = [];
  if (request !== undefined) {
    for (const [name, value] of request.parameters) parameters.push([name, cut(value, maxValue)]);
    for (const name of recordedHeaders) {
      const value = request.headers.get(name);
      if (value !== undefined) parameters.push([name, cut(value, maxValue)]);
    }
  }
  // Last, so that no parameter replaces them.
  if (bucket !== '') parameters.push(['bucketName', bucket]);
  if (host !== undefined) parameters.push(['Host', host]);
  if (key !== '') parameters.push(['key', key]);
  return parameters.length === 0 ? null : Object.fromEntries(parameters);
}

/** The object and the bucket that a request names, and what a copy reads. */
export function s3Resources(
  request: S3Request | undefined,
  { bucket = '', key = '' }: Addressed,
  { accountId, partition }: { readonly accountId: string; readonly partition: string },
): AuditResource[] {
  if (bucket === '') return [];
  const arnOf = (name: string): string => `arn:${partition}:s3:::${name}`;
  const bucketOf = (name: string): AuditResource => ({
    accountId,
    type: 'AWS::S3::Bucket',
    ARN: arnOf(name),
  });
  const resources: AuditResource[] = [];
  const operation = request?.operation.name ?? '';
  if (key !== '') resources.push({ type: 'AWS::S3::Object', ARN: `${arnOf(bucket)}/${key}` });
  else if (operation !== 'HeadBucket' && isDataEvent(operation, request)) {
    const prefix = cut(request?.parameters.get('prefix') ?? '', maxValue);
    resources.push({ type: 'AWS::S3::Object', ARNPrefix: `${arnOf(bucket)}/${prefix}` });
  }
  resources.push(bucketOf(bucket));
  const source = request?.copySource;
  if (source === undefined) return resources;
  resources.push({ type: 'AWS::S3::Object', ARN: `${arnOf(source.bucket)}/${source.key}` });
  if (source.bucket !== bucket) resources.push(bucketOf(source.bucket));
  return resources;
}
