import type { S3Operation } from '../operation.ts';

const kilobyte = 1024;

type Row = readonly [name: string, selector: string, action: string];

/** What is known about a bucket. */
const reads: readonly Row[] = [
  ['GetBucketAbac', 'abac', 's3:GetBucketAbac'],
  ['GetBucketAccelerateConfiguration', 'accelerate', 's3:GetAccelerateConfiguration'],
  ['GetBucketCors', 'cors', 's3:GetBucketCORS'],
  ['GetBucketEncryption', 'encryption', 's3:GetEncryptionConfiguration'],
  ['GetBucketLifecycleConfiguration', 'lifecycle', 's3:GetLifecycleConfiguration'],
  ['GetBucketLogging', 'logging', 's3:GetBucketLogging'],
  ['GetBucketNotificationConfiguration', 'notification', 's3:GetBucketNotification'],
  ['GetBucketOwnershipControls', 'ownershipControls', 's3:GetBucketOwnershipControls'],
  ['GetBucketPolicy', 'policy', 's3:GetBucketPolicy'],
  ['GetBucketPolicyStatus', 'policyStatus', 's3:GetBucketPolicyStatus'],
  ['GetBucketReplication', 'replication', 's3:GetReplicationConfiguration'],
  ['GetBucketRequestPayment', 'requestPayment', 's3:GetBucketRequestPayment'],
  ['GetBucketTagging', 'tagging', 's3:GetBucketTagging'],
  ['GetBucketWebsite', 'website', 's3:GetBucketWebsite'],
  ['GetObjectLockConfiguration', 'object-lock', 's3:GetBucketObjectLockConfiguration'],
  ['GetPublicAccessBlock', 'publicAccessBlock', 's3:GetBucketPublicAccessBlock'],
];

/** Deletions of configurations. Most need the same action as writing one. */
const deletions: readonly Row[] = [
  ['DeleteBucketCors', 'cors', 's3:PutBucketCORS'],
  ['DeleteBucketEncryption', 'encryption', 's3:PutEncryptionConfiguration'],
  ['DeleteBucketLifecycle', 'lifecycle', 's3:PutLifecycleConfiguration'],
  ['DeleteBucketOwnershipControls', 'ownershipControls', 's3:PutBucketOwnershipControls'],
  ['DeleteBucketPolicy', 'policy', 's3:DeleteBucketPolicy'],
  ['DeleteBucketReplication', 'replication', 's3:PutReplicationConfiguration'],
  ['DeleteBucketTagging', 'tagging', 's3:PutBucketTagging'],
  ['DeleteBucketWebsite', 'website', 's3:DeleteBucketWebsite'],
  ['DeletePublicAccessBlock', 'publicAccessBlock', 's3:PutBucketPublicAccessBlock'],
];

/** Documents about the bucket itself, passed on byte for byte. Their limits are far above what AWS's own limits allow. */
const writes: readonly (readonly [...Row, maxBytes: number, headers?: readonly string[]])[] = [
  ['PutBucketAbac', 'abac', 's3:PutBucketAbac', 4 * kilobyte],
  ['PutBucketAccelerateConfiguration', 'accelerate', 's3:PutAccelerateConfiguration', 4 * kilobyte],
  ['PutBucketCors', 'cors', 's3:PutBucketCORS', 128 * kilobyte],
  ['PutBucketEncryption', 'encryption', 's3:PutEncryptionConfiguration', 64 * kilobyte],
  [
    'PutBucketLifecycleConfiguration',
    'lifecycle',
    's3:PutLifecycleConfiguration',
    2048 * kilobyte,
    ['x-amz-transition-default-minimum-object-size'],
  ],
  ['PutBucketOwnershipControls', 'ownershipControls', 's3:PutBucketOwnershipControls', 4 * kilobyte],
  [
    'PutBucketPolicy',
    'policy',
    's3:PutBucketPolicy',
    64 * kilobyte,
    ['x-amz-confirm-remove-self-bucket-access'],
  ],
  ['PutBucketRequestPayment', 'requestPayment', 's3:PutBucketRequestPayment', 4 * kilobyte],
  ['PutBucketTagging', 'tagging', 's3:PutBucketTagging', 128 * kilobyte],
  ['PutBucketWebsite', 'website', 's3:PutBucketWebsite', 256 * kilobyte],
  [
    'PutObjectLockConfiguration',
    'object-lock',
    's3:PutBucketObjectLockConfiguration',
    4 * kilobyte,
    ['x-amz-bucket-object-lock-token'],
  ],
  ['PutPublicAccessBlock', 'publicAccessBlock', 's3:PutBucketPublicAccessBlock', 4 * kilobyte],
];

/** Configurations of which a bucket has many, told apart by `id`; a list of them needs the action of reading one. */
const numbered: readonly (readonly [noun: string, selector: string, action: string, maxBytes?: number])[] = [
  ['AnalyticsConfiguration', 'analytics', 'AnalyticsConfiguration'],
  [
    'IntelligentTieringConfiguration',
    'intelligent-tiering',
    'IntelligentTieringConfiguration',
    64 * kilobyte,
  ],
  ['InventoryConfiguration', 'inventory', 'InventoryConfiguration'],
  ['MetricsConfiguration', 'metrics', 'MetricsConfiguration', 64 * kilobyte],
];

const plain = { scope: 'bucket', parameters: [], headers: [], unlessKnown: 'probe' } as const;

function numberedOperations([noun, selector, action, maxBytes]: (typeof numbered)[number]): S3Operation[] {
  const one = [selector, 'id=*'];
  const read = `s3:Get${action}`;
  const write = `s3:Put${action}`;
  const rows: S3Operation[] = [
    { ...plain, name: `GetBucket${noun}`, method: 'GET', selectors: one, body: 'none', action: read },
    {
      ...plain,
      name: `ListBucket${noun}s`,
      method: 'GET',
      selectors: [selector],
      parameters: ['continuation-token'],
      body: 'none',
      action: read,
    },
    { ...plain, name: `DeleteBucket${noun}`, method: 'DELETE', selectors: one, body: 'none', action: write },
  ];
  if (maxBytes === undefined) return rows;
  const document = { maxBytes };
  const name = `PutBucket${noun}`;
  return [
    ...rows,
    { ...plain, name, method: 'PUT', selectors: one, body: 'document', document, action: write },
  ];
}

/**
 * How a bucket is configured, where that concerns the bucket alone. What makes the store deliver something elsewhere is
 * in `deliveries`. The actions are AWS's, which has no deleting ones for most of it.
 */
export const bucketConfigOperations: readonly S3Operation[] = [
  ...reads.map(
    ([name, selector, action]): S3Operation => ({
      ...plain,
      name,
      method: 'GET',
      selectors: [selector],
      body: 'none',
      action,
    }),
  ),
  ...deletions.map(
    ([name, selector, action]): S3Operation => ({
      ...plain,
      name,
      method: 'DELETE',
      selectors: [selector],
      body: 'none',
      action,
    }),
  ),
  ...writes.map(
    ([name, selector, action, maxBytes, headers = []]): S3Operation => ({
      ...plain,
      name,
      method: 'PUT',
      selectors: [selector],
      headers,
      body: 'document',
      document: { maxBytes },
      action,
    }),
  ),
  ...numbered.flatMap(numberedOperations),
];
