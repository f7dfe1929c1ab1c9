import { aclHeaders, grantHeaders } from '../acl-headers.ts';
import type { ForwardedHeaders } from '../operation.ts';

/** Headers that give a new object an ACL. */
const objectAclHeaders: readonly string[] = aclHeaders.filter((name) => name !== 'x-amz-grant-write');

/** Headers that set retention or legal hold. */
const objectLockHeaders: readonly string[] = [
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-event-hold',
  'x-amz-object-lock-event-hold-duration-days',
  'x-amz-object-lock-event-hold-duration-years',
];

/** Those of them that set retention. An event hold is retention whose end is not known yet. */
const retentionHeaders: readonly string[] = objectLockHeaders.filter(
  (name) => name !== 'x-amz-object-lock-legal-hold',
);

/** Headers that describe a new object. */
export const newObjectHeaders: readonly string[] = [
  ...objectAclHeaders,
  ...objectLockHeaders,
  'x-amz-tagging',
  'x-amz-storage-class',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-context',
  'x-amz-website-redirect-location',
];

function hasAny(headers: ForwardedHeaders, names: readonly string[]): boolean {
  return names.some((name) => headers.has(name));
}

// What the headers of a new object need beside `s3:PutObject` (AWS: "Required permissions for S3 API operations").
function newObjectActions(headers: ForwardedHeaders): string[] {
  const actions: string[] = [];
  if (hasAny(headers, aclHeaders)) actions.push('s3:PutObjectAcl');
  if (headers.has('x-amz-tagging')) actions.push('s3:PutObjectTagging');
  if (hasAny(headers, retentionHeaders)) actions.push('s3:PutObjectRetention');
  if (headers.has('x-amz-object-lock-legal-hold')) actions.push('s3:PutObjectLegalHold');
  return actions;
}

/** What the headers of a request that makes an object need beside `s3:PutObject`. */
export function wholeObjectActions(headers: ForwardedHeaders): string[] {
  const actions = newObjectActions(headers);
  if (readsByCondition(headers)) actions.push('s3:GetObject');
  return actions;
}

/** `If-Match` with an ETag lets the caller probe an object's content, so it also needs to be readable. */
export function ifMatchActions(headers: ForwardedHeaders): string[] {
  return readsByCondition(headers) ? ['s3:GetObject'] : [];
}

function readsByCondition(headers: ForwardedHeaders): boolean {
  const ifMatch = headers.get('if-match');
  return ifMatch !== undefined && ifMatch !== '*';
}

/** What the headers of CreateBucket need; the canned ACL `private` is the one that needs nothing. */
export function newBucketActions(headers: ForwardedHeaders): string[] {
  const actions: string[] = [];
  const acl = headers.get('x-amz-acl');
  if ((acl !== undefined && acl !== 'private') || hasAny(headers, grantHeaders))
    actions.push('s3:PutBucketAcl');
  if (headers.has('x-amz-bucket-object-lock-enabled')) {
    actions.push('s3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning');
  }
  if (headers.has('x-amz-object-ownership')) actions.push('s3:PutBucketOwnershipControls');
  return actions;
}

/** What a copy may say about its source and about what of it is taken over. */
export const copyHeaders: readonly string[] = [
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-unmodified-since',
  'x-amz-copy-source-server-side-encryption-customer-algorithm',
  'x-amz-copy-source-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key-md5',
];

/** Bypassing governance retention needs its own permission. The header is present only with the value `true`. */
export function bypassActions(headers: ForwardedHeaders): string[] {
  return headers.has('x-amz-bypass-governance-retention') ? ['s3:BypassGovernanceRetention'] : [];
}
