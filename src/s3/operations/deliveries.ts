import type { XmlElement } from '../../core/xml.ts';
import { checkBucket } from '../addressing.ts';
import { s3Error } from '../errors.ts';
import type { DocumentFacts, DocumentRule, S3Operation, S3Request } from '../operation.ts';
import { readDocument, rewriteElement, uniqueChildren } from '../strict-document.ts';
import {
  bucketOfArn,
  type DeliveryTarget,
  folderOf,
  prefixText,
  requiredText,
  targetPermissions,
} from './delivery-targets.ts';
import { notificationDocument } from './notification.ts';
import { replicationDocument } from './replication.ts';

const maxBytes = 65_536;
const maxDepth = 8;

const logging: DocumentRule = { maxBytes, read: readLogging, actions: ['s3:PutObject'] };
const inventory: DocumentRule = { maxBytes, read: readInventory, actions: ['s3:PutObject'] };
const analytics: DocumentRule = { maxBytes, read: readAnalytics, actions: ['s3:PutObject'] };

/**
 * Configurations that make the store deliver something elsewhere, with its own authority and long after the request. All
 * buckets belong to the one key that the sidecar holds, so the store's own checks of the destination find nothing
 * wrong; the caller needs the permission to do there what the store will do.
 */
export const deliveryOperations: readonly S3Operation[] = [
  {
    name: 'PutBucketAnalyticsConfiguration',
    method: 'PUT',
    scope: 'bucket',
    selectors: ['analytics', 'id=*'],
    parameters: [],
    headers: [],
    body: 'document',
    unlessKnown: 'probe',
    document: analytics,
    action: 's3:PutAnalyticsConfiguration',
  },
  {
    name: 'PutBucketInventoryConfiguration',
    method: 'PUT',
    scope: 'bucket',
    selectors: ['inventory', 'id=*'],
    parameters: [],
    headers: [],
    body: 'document',
    unlessKnown: 'probe',
    document: inventory,
    action: 's3:PutInventoryConfiguration',
  },
  {
    name: 'PutBucketLogging',
    method: 'PUT',
    scope: 'bucket',
    selectors: ['logging'],
    parameters: [],
    headers: [],
    body: 'document',
    unlessKnown: 'probe',
    document: logging,
    action: 's3:PutBucketLogging',
  },
  {
    name: 'PutBucketNotificationConfiguration',
    method: 'PUT',
    scope: 'bucket',
    selectors: ['notification'],
    parameters: [],
    headers: ['x-amz-skip-destination-validation'],
    body: 'document',
    unlessKnown: 'probe',
    document: notificationDocument,
    action: 's3:PutBucketNotification',
  },
  {
    name: 'PutBucketReplication',
    method: 'PUT',
    scope: 'bucket',
    selectors: ['replication'],
    parameters: [],
    headers: ['x-amz-bucket-object-lock-token'],
    body: 'document',
    unlessKnown: 'probe',
    document: replicationDocument,
    action: 's3:PutReplicationConfiguration',
  },
];

const ofStatus: ReadonlySet<string> = new Set(['LoggingEnabled']);
const ofLogging: ReadonlySet<string> = new Set([
  'TargetBucket',
  'TargetPrefix',
  'TargetObjectKeyFormat',
  'TargetGrants',
]);

// Source: AWS "PutBucketLogging"; without LoggingEnabled it ends logging.
function readLogging(_: S3Request, body: Buffer, partition: string): DocumentFacts {
  const root = readDocument(body, { root: 'BucketLoggingStatus', maxBytes, maxDepth });
  const enabled = uniqueChildren(root, ofStatus).get('LoggingEnabled');
  if (enabled === undefined) return { rewritten: rewriteElement(root) };
  const children = uniqueChildren(enabled, ofLogging);
  if (children.has('TargetGrants')) throw s3Error('NotImplemented', 'TargetGrants are not supported.');
  const bucket = checkBucket(requiredText(children, 'TargetBucket'));
  const target = { bucket, prefix: prefixText(children.get('TargetPrefix')) };
  return {
    permissions: targetPermissions(target, ['s3:PutObject'], partition),
    rewritten: rewriteElement(root),
  };
}

const ofInventory: ReadonlySet<string> = new Set([
  'Destination',
  'Filter',
  'Id',
  'IncludedObjectVersions',
  'IsEnabled',
  'OptionalFields',
  'Schedule',
]);

// Source: AWS "PutBucketInventoryConfiguration", and "Locating your inventory list" on what stands behind the prefix.
function readInventory(request: S3Request, body: Buffer, partition: string): DocumentFacts {
  const root = readDocument(body, { root: 'InventoryConfiguration', maxBytes, maxDepth });
  const children = uniqueChildren(root, ofInventory);
  const fields = new Set((children.get('OptionalFields')?.children ?? []).map(fieldName));
  const { bucket, prefix } = destinationOf(children.get('Destination'));
  const folder = `${folderOf(prefix)}${request.bucket}/${request.parameters.get('id') ?? ''}/`;
  return {
    permissions: targetPermissions({ bucket, prefix, folder }, ['s3:PutObject'], partition),
    conditionKeys: fields.size === 0 ? [] : [['s3:InventoryAccessibleOptionalFields', [...fields]]],
    rewritten: rewriteElement(root),
  };
}

function fieldName(field: XmlElement): string {
  const text = requiredText(new Map([[field.name, field]]), 'Field');
  // Anything else could be a field in another spelling to the store and no field to a policy. A policy that is matched
  // against thousands of made-up fields would also take long.
  if (!inventoryFields.has(text)) throw s3Error('MalformedXML');
  return text;
}

// Source: AWS "InventoryConfiguration" and the model of the AWS SDK, version 3.1169.0 (`InventoryOptionalField`).
const inventoryFields: ReadonlySet<string> = new Set([
  'BucketKeyStatus',
  'ChecksumAlgorithm',
  'ETag',
  'EncryptionStatus',
  'IntelligentTieringAccessTier',
  'IntelligentTieringReferenceDate',
  'IsMultipartUploaded',
  'LastModifiedDate',
  'LifecycleExpirationDate',
  'ObjectAccessControlList',
  'ObjectLockEventHoldDuration',
  'ObjectLockEventHoldStatus',
  'ObjectLockLegalHoldStatus',
  'ObjectLockMode',
  'ObjectLockRetainUntilDate',
  'ObjectOwner',
  'ReplicationStatus',
  'Size',
  'StorageClass',
]);

const ofAnalytics: ReadonlySet<string> = new Set(['Id', 'Filter', 'StorageClassAnalysis']);
const ofAnalysis: ReadonlySet<string> = new Set(['DataExport']);
const ofExport: ReadonlySet<string> = new Set(['OutputSchemaVersion', 'Destination']);

// Source: AWS "PutBucketAnalyticsConfiguration"; it may analyse without exporting.
function readAnalytics(_: S3Request, body: Buffer, partition: string): DocumentFacts {
  const root = readDocument(body, { root: 'AnalyticsConfiguration', maxBytes, maxDepth });
  const analysis = uniqueChildren(root, ofAnalytics).get('StorageClassAnalysis');
  const dataExport =
    analysis === undefined ? undefined : uniqueChildren(analysis, ofAnalysis).get('DataExport');
  const children = dataExport === undefined ? undefined : uniqueChildren(dataExport, ofExport);
  if (children === undefined) return { rewritten: rewriteElement(root) };
  const { bucket, prefix } = destinationOf(children.get('Destination'));
  const target = { bucket, prefix, folder: folderOf(prefix) };
  return {
    permissions: targetPermissions(target, ['s3:PutObject'], partition),
    rewritten: rewriteElement(root),
  };
}

const ofDestination: ReadonlySet<string> = new Set(['S3BucketDestination']);
const ofBucketDestination: ReadonlySet<string> = new Set([
  'AccountId',
  'Bucket',
  'BucketAccountId',
  'Encryption',
  'Format',
  'Prefix',
]);

function destinationOf(destination: XmlElement | undefined): DeliveryTarget {
  const place =
    destination === undefined
      ? undefined
      : uniqueChildren(destination, ofDestination).get('S3BucketDestination');
  if (place === undefined) throw s3Error('MalformedXML');
  const children = uniqueChildren(place, ofBucketDestination);
  return {
    bucket: bucketOfArn(requiredText(children, 'Bucket')),
    prefix: prefixText(children.get('Prefix')),
  };
}
