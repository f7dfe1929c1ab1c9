import type { S3Operation } from './operation.ts';

/** Where the value of a context key comes from. */
export type KeySource =
  /** A header of that name, its value as it is. */
  | { readonly from: 'header'; readonly name: string }
  /** A query parameter of that name; `fallback` when it is not sent. */
  | { readonly from: 'parameter'; readonly name: string; readonly fallback?: string }
  /** Computed from the request's head or its document. */
  | { readonly from: 'request' }
  /** How the request was signed. */
  | { readonly from: 'authentication' }
  /** Only the store knows it; looked up when a policy asks. */
  | { readonly from: 'store' }
  /** No request has it here. */
  | { readonly from: 'never'; readonly reason: string };

/** One context key of S3. */
export interface S3Key {
  /** AWS's spelling; a name that ends in `/` stands for every key below it. */
  readonly key: string;
  /** The type of its values, which says what operators mean. */
  readonly type: 'String' | 'Numeric' | 'Date' | 'Bool' | 'ARN' | 'ArrayOfString';
  readonly source: KeySource;
  /** True for operations whose actions know it, where those that accept the header or parameter are too many or too few. */
  readonly knownBy?: (operation: S3Operation) => boolean;
}

type Operations = (operation: S3Operation) => boolean;

const writes: Operations = ({ action }) => action === 's3:PutObject';
// In DeleteObjects each entry has its own value.
const conditionalWrites: Operations = (operation) =>
  writes(operation) || (operation.action === 's3:DeleteObject' && operation.scope === 'object');
const bucketReads: Operations = ({ action }) =>
  action === 's3:ListBucket' || action === 's3:ListBucketVersions';
const listings: Operations = (operation) => bucketReads(operation) && operation.method === 'GET';
// Retention, holds and restoring have no action of their own for versions. In DeleteObjects each entry has its own value.
const versioned: Operations = ({ versionAction, scope }) => versionAction !== undefined && scope === 'object';

const noAccessPoints = 'there are no access points, access grants or batch jobs';
const noTls =
  'proxies do not say which version they speak, and the key is not taken from a connection of the sidecar itself';

type Row = readonly [key: string, type: S3Key['type'], source: KeySource, knownBy?: Operations];

const request: KeySource = { from: 'request' };
const authentication: KeySource = { from: 'authentication' };
const store: KeySource = { from: 'store' };
const never = (reason: string): KeySource => ({ from: 'never', reason });
const header = (name: string): KeySource => ({ from: 'header', name });
const parameter = (name: string, fallback?: string): KeySource =>
  fallback === undefined ? { from: 'parameter', name } : { from: 'parameter', name, fallback };

const rows: readonly Row[] = [
  ['s3:AccessGrantsInstanceArn', 'ARN', never(noAccessPoints)],
  ['s3:AccessPointNetworkOrigin', 'String', never(noAccessPoints)],
  ['s3:AccessPointTag/', 'String', never(noAccessPoints)],
  ['s3:BucketTag/', 'String', store],
  ['s3:DataAccessPointAccount', 'String', never(noAccessPoints)],
  ['s3:DataAccessPointArn', 'ARN', never(noAccessPoints)],
  ['s3:ExistingObjectTag/', 'String', store],
  ['s3:InventoryAccessibleOptionalFields', 'ArrayOfString', request],
  ['s3:ObjectCreationOperation', 'Bool', request],
  ['s3:RequestObjectTag/', 'String', request],
  ['s3:RequestObjectTagKeys', 'ArrayOfString', request],
  ['s3:ResourceAccount', 'String', request],
  ['s3:TlsVersion', 'Numeric', never(noTls)],
  ['s3:annotation-prefix', 'String', parameter('annotation-prefix')],
  ['s3:authType', 'String', authentication],
  ['s3:delimiter', 'String', parameter('delimiter'), listings],
  ['s3:if-match', 'String', header('if-match'), conditionalWrites],
  ['s3:if-none-match', 'String', header('if-none-match'), writes],
  ['s3:isReplicationPauseRequest', 'Bool', never('no service pauses replication')],
  ['s3:locationconstraint', 'String', request],
  ['s3:max-annotation-results', 'Numeric', parameter('max-annotation-results')],
  ['s3:max-keys', 'Numeric', parameter('max-keys', '1000'), bucketReads],
  ['s3:object-lock-event-hold', 'String', header('x-amz-object-lock-event-hold')],
  ['s3:object-lock-event-hold-duration-days', 'Numeric', request],
  ['s3:object-lock-legal-hold', 'String', header('x-amz-object-lock-legal-hold')],
  ['s3:object-lock-mode', 'String', header('x-amz-object-lock-mode')],
  ['s3:object-lock-remaining-retention-days', 'Numeric', request],
  ['s3:object-lock-retain-until-date', 'Date', request],
  ['s3:prefix', 'String', parameter('prefix'), listings],
  ['s3:signatureAge', 'Numeric', authentication],
  ['s3:signatureversion', 'String', authentication],
  ['s3:versionid', 'String', parameter('versionId'), versioned],
  ['s3:x-amz-acl', 'String', header('x-amz-acl')],
  ['s3:x-amz-bucket-namespace', 'String', header('x-amz-bucket-namespace')],
  ['s3:x-amz-content-sha256', 'String', authentication],
  ['s3:x-amz-copy-source', 'String', request],
  ['s3:x-amz-grant-full-control', 'String', header('x-amz-grant-full-control')],
  ['s3:x-amz-grant-read', 'String', header('x-amz-grant-read')],
  ['s3:x-amz-grant-read-acp', 'String', header('x-amz-grant-read-acp')],
  ['s3:x-amz-grant-write', 'String', header('x-amz-grant-write')],
  ['s3:x-amz-grant-write-acp', 'String', header('x-amz-grant-write-acp')],
  ['s3:x-amz-metadata-directive', 'String', header('x-amz-metadata-directive')],
  ['s3:x-amz-object-annotation-directive', 'String', header('x-amz-object-annotation-directive')],
  ['s3:x-amz-object-if-match', 'String', header('x-amz-object-if-match')],
  ['s3:x-amz-object-ownership', 'String', header('x-amz-object-ownership')],
  ['s3:x-amz-server-side-encryption', 'String', header('x-amz-server-side-encryption')],
  [
    's3:x-amz-server-side-encryption-aws-kms-key-id',
    'ARN',
    header('x-amz-server-side-encryption-aws-kms-key-id'),
  ],
  [
    's3:x-amz-server-side-encryption-customer-algorithm',
    'String',
    header('x-amz-server-side-encryption-customer-algorithm'),
    writes,
  ],
  ['s3:x-amz-storage-class', 'String', header('x-amz-storage-class')],
  ['s3:x-amz-website-redirect-location', 'String', header('x-amz-website-redirect-location')],
];

/** Every `s3:` context key there is. Source: AWS Service Authorization Reference, Amazon S3, read 2026-11. */
export const s3Keys: readonly S3Key[] = rows.map(([key, type, source, knownBy]) =>
  knownBy === undefined ? { key, type, source } : { key, type, source, knownBy },
);
