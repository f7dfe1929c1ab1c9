import {
  DeleteBucketCorsCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeleteBucketWebsiteCommand,
  DeleteObjectTaggingCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketRequestPaymentCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  GetObjectAclCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketRequestPaymentCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutBucketWebsiteCommand,
  PutObjectAclCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

type Call = (s3: S3Client) => Promise<unknown>;

/** One operation on what is set for a bucket or an object. */
export interface ConfigurationCall {
  readonly name: string;
  /** The only action that it needs. */
  readonly action: string;
  readonly call: Call;
  /** Reads what it changes; absent for one that reads itself. */
  readonly shows?: Call;
}

/** The bucket that is configured, and one whose objects can be locked. */
export const configured = 'configured';
export const locked = 'locked';
/** In both buckets. */
export const objectKey = 'some/object';
/** When the retention of {@link configurationCalls} ends. */
export const retainedUntil: Date = new Date(Date.UTC(2090, 0, 1));

const Bucket = configured;
const object = { Bucket, Key: objectKey };
const lockable = { Bucket: locked, Key: objectKey };
const statement = {
  Effect: 'Allow',
  Principal: '*',
  Action: ['s3:GetObject'],
  Resource: [`arn:aws:s3:::${configured}/public/*`],
};
const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
const ofAes = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } } as const;

const getLifecycle: Call = (s3) => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
const getCors: Call = (s3) => s3.send(new GetBucketCorsCommand({ Bucket }));
const getPolicy: Call = (s3) => s3.send(new GetBucketPolicyCommand({ Bucket }));
const getTagging: Call = (s3) => s3.send(new GetBucketTaggingCommand({ Bucket }));
const getVersioning: Call = (s3) => s3.send(new GetBucketVersioningCommand({ Bucket }));
const getAcl: Call = (s3) => s3.send(new GetBucketAclCommand({ Bucket }));
const getObjectAcl: Call = (s3) => s3.send(new GetObjectAclCommand(object));
const getObjectTagging: Call = (s3) => s3.send(new GetObjectTaggingCommand(object));
const getLock: Call = (s3) => s3.send(new GetObjectLockConfigurationCommand({ Bucket: locked }));
const getRetention: Call = (s3) => s3.send(new GetObjectRetentionCommand(lockable));
const getLegalHold: Call = (s3) => s3.send(new GetObjectLegalHoldCommand(lockable));
const getEncryption: Call = (s3) => s3.send(new GetBucketEncryptionCommand({ Bucket }));
const getBlock: Call = (s3) => s3.send(new GetPublicAccessBlockCommand({ Bucket }));
const getNotification: Call = (s3) => s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
const getOwnership: Call = (s3) => s3.send(new GetBucketOwnershipControlsCommand({ Bucket }));
const getWebsite: Call = (s3) => s3.send(new GetBucketWebsiteCommand({ Bucket }));
const getPayment: Call = (s3) => s3.send(new GetBucketRequestPaymentCommand({ Bucket }));

/** In an order in which each call finds what the earlier ones left. */
export const configurationCalls: readonly ConfigurationCall[] = [
  {
    name: 'GetBucketLocation',
    action: 's3:GetBucketLocation',
    call: (s3) => s3.send(new GetBucketLocationCommand({ Bucket })),
  },
  {
    name: 'PutBucketLifecycleConfiguration',
    action: 's3:PutLifecycleConfiguration',
    call: (s3) =>
      s3.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: {
            Rules: [{ ID: 'tidy', Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 7 } }],
          },
        }),
      ),
    shows: getLifecycle,
  },
  {
    name: 'GetBucketLifecycleConfiguration',
    action: 's3:GetLifecycleConfiguration',
    call: getLifecycle,
  },
  {
    name: 'DeleteBucketLifecycle',
    action: 's3:PutLifecycleConfiguration',
    call: (s3) => s3.send(new DeleteBucketLifecycleCommand({ Bucket })),
    shows: getLifecycle,
  },
  {
    name: 'PutBucketCors',
    action: 's3:PutBucketCORS',
    call: (s3) =>
      s3.send(
        new PutBucketCorsCommand({
          Bucket,
          CORSConfiguration: {
            CORSRules: [
              {
                AllowedOrigins: ['https://app.example.org'],
                AllowedMethods: ['GET', 'PUT'],
                AllowedHeaders: ['authorization', 'x-amz-*'],
                ExposeHeaders: ['ETag'],
                MaxAgeSeconds: 60,
              },
            ],
          },
        }),
      ),
    shows: getCors,
  },
  { name: 'GetBucketCors', action: 's3:GetBucketCORS', call: getCors },
  {
    name: 'PutBucketPolicy',
    action: 's3:PutBucketPolicy',
    call: (s3) => s3.send(new PutBucketPolicyCommand({ Bucket, Policy })),
    shows: getPolicy,
  },
  { name: 'GetBucketPolicy', action: 's3:GetBucketPolicy', call: getPolicy },
  {
    name: 'GetBucketPolicyStatus',
    action: 's3:GetBucketPolicyStatus',
    call: (s3) => s3.send(new GetBucketPolicyStatusCommand({ Bucket })),
  },
  {
    name: 'DeleteBucketPolicy',
    action: 's3:DeleteBucketPolicy',
    call: (s3) => s3.send(new DeleteBucketPolicyCommand({ Bucket })),
    shows: getPolicy,
  },
  {
    name: 'PutBucketTagging',
    action: 's3:PutBucketTagging',
    call: (s3) =>
      s3.send(
        new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'team', Value: 'a + b' }] } }),
      ),
    shows: getTagging,
  },
  { name: 'GetBucketTagging', action: 's3:GetBucketTagging', call: getTagging },
  {
    name: 'DeleteBucketTagging',
    action: 's3:PutBucketTagging',
    call: (s3) => s3.send(new DeleteBucketTaggingCommand({ Bucket })),
    shows: getTagging,
  },
  {
    name: 'PutBucketVersioning',
    action: 's3:PutBucketVersioning',
    call: (s3) =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
    shows: getVersioning,
  },
  { name: 'GetBucketVersioning', action: 's3:GetBucketVersioning', call: getVersioning },
  {
    name: 'PutBucketOwnershipControls',
    action: 's3:PutBucketOwnershipControls',
    call: (s3) =>
      s3.send(
        new PutBucketOwnershipControlsCommand({
          Bucket,
          OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
        }),
      ),
    shows: getOwnership,
  },
  { name: 'GetBucketOwnershipControls', action: 's3:GetBucketOwnershipControls', call: getOwnership },
  {
    name: 'PutBucketAcl',
    action: 's3:PutBucketAcl',
    call: (s3) => s3.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' })),
    shows: getAcl,
  },
  { name: 'GetBucketAcl', action: 's3:GetBucketAcl', call: getAcl },
  {
    name: 'PutObjectAcl',
    action: 's3:PutObjectAcl',
    call: (s3) => s3.send(new PutObjectAclCommand({ ...object, ACL: 'public-read' })),
    shows: getObjectAcl,
  },
  { name: 'GetObjectAcl', action: 's3:GetObjectAcl', call: getObjectAcl },
  {
    name: 'PutObjectTagging',
    action: 's3:PutObjectTagging',
    call: (s3) =>
      s3.send(
        new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [{ Key: 'class', Value: 'public' }] } }),
      ),
    shows: getObjectTagging,
  },
  { name: 'GetObjectTagging', action: 's3:GetObjectTagging', call: getObjectTagging },
  {
    name: 'DeleteObjectTagging',
    action: 's3:DeleteObjectTagging',
    call: (s3) => s3.send(new DeleteObjectTaggingCommand(object)),
    shows: getObjectTagging,
  },
  {
    name: 'PutObjectLockConfiguration',
    action: 's3:PutBucketObjectLockConfiguration',
    call: (s3) =>
      s3.send(
        new PutObjectLockConfigurationCommand({
          Bucket: locked,
          ObjectLockConfiguration: {
            ObjectLockEnabled: 'Enabled',
            Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
          },
        }),
      ),
    shows: getLock,
  },
  { name: 'GetObjectLockConfiguration', action: 's3:GetBucketObjectLockConfiguration', call: getLock },
  {
    name: 'PutObjectRetention',
    action: 's3:PutObjectRetention',
    call: (s3) =>
      s3.send(
        new PutObjectRetentionCommand({
          ...lockable,
          Retention: { Mode: 'GOVERNANCE', RetainUntilDate: retainedUntil },
        }),
      ),
    shows: getRetention,
  },
  { name: 'GetObjectRetention', action: 's3:GetObjectRetention', call: getRetention },
  {
    name: 'PutObjectLegalHold',
    action: 's3:PutObjectLegalHold',
    call: (s3) => s3.send(new PutObjectLegalHoldCommand({ ...lockable, LegalHold: { Status: 'ON' } })),
    shows: getLegalHold,
  },
  { name: 'GetObjectLegalHold', action: 's3:GetObjectLegalHold', call: getLegalHold },
  {
    name: 'PutBucketEncryption',
    action: 's3:PutEncryptionConfiguration',
    call: (s3) =>
      s3.send(
        new PutBucketEncryptionCommand({
          Bucket,
          ServerSideEncryptionConfiguration: { Rules: [ofAes] },
        }),
      ),
    shows: getEncryption,
  },
  { name: 'GetBucketEncryption', action: 's3:GetEncryptionConfiguration', call: getEncryption },
  {
    name: 'DeleteBucketEncryption',
    action: 's3:PutEncryptionConfiguration',
    call: (s3) => s3.send(new DeleteBucketEncryptionCommand({ Bucket })),
    shows: getEncryption,
  },
  {
    name: 'PutPublicAccessBlock',
    action: 's3:PutBucketPublicAccessBlock',
    call: (s3) =>
      s3.send(
        new PutPublicAccessBlockCommand({
          Bucket,
          PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true },
        }),
      ),
    shows: getBlock,
  },
  { name: 'GetPublicAccessBlock', action: 's3:GetBucketPublicAccessBlock', call: getBlock },
  {
    name: 'DeletePublicAccessBlock',
    action: 's3:PutBucketPublicAccessBlock',
    call: (s3) => s3.send(new DeletePublicAccessBlockCommand({ Bucket })),
    shows: getBlock,
  },
  {
    name: 'PutBucketNotificationConfiguration',
    action: 's3:PutBucketNotification',
    // Without any target: no store of the suite has a queue to send to.
    call: (s3) =>
      s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} })),
  },
  {
    name: 'GetBucketNotificationConfiguration',
    action: 's3:GetBucketNotification',
    call: getNotification,
  },
  {
    name: 'PutBucketWebsite',
    action: 's3:PutBucketWebsite',
    call: (s3) =>
      s3.send(
        new PutBucketWebsiteCommand({
          Bucket,
          WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' } },
        }),
      ),
    shows: getWebsite,
  },
  { name: 'GetBucketWebsite', action: 's3:GetBucketWebsite', call: getWebsite },
  {
    name: 'DeleteBucketWebsite',
    action: 's3:DeleteBucketWebsite',
    call: (s3) => s3.send(new DeleteBucketWebsiteCommand({ Bucket })),
    shows: getWebsite,
  },
  {
    name: 'PutBucketRequestPayment',
    action: 's3:PutBucketRequestPayment',
    call: (s3) =>
      s3.send(
        new PutBucketRequestPaymentCommand({
          Bucket,
          RequestPaymentConfiguration: { Payer: 'Requester' },
        }),
      ),
    shows: getPayment,
  },
  { name: 'GetBucketRequestPayment', action: 's3:GetBucketRequestPayment', call: getPayment },
  {
    name: 'DeleteBucketCors',
    action: 's3:PutBucketCORS',
    call: (s3) => s3.send(new DeleteBucketCorsCommand({ Bucket })),
    shows: getCors,
  },
];
