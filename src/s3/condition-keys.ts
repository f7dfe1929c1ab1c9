import { s3Error } from './errors.ts';
import type { ConditionKey } from './operation.ts';
import type { RequestedResource } from './permissions.ts';
import { type ObjectTag, parseFormTags } from './tagging-header.ts';

/** Header → context key, for headers whose value is the key's value. */
const headerKeys: readonly (readonly [header: string, key: string])[] = [
  ['if-match', 's3:if-match'],
  ['if-none-match', 's3:if-none-match'],
  ['x-amz-acl', 's3:x-amz-acl'],
  ['x-amz-grant-full-control', 's3:x-amz-grant-full-control'],
  ['x-amz-grant-read', 's3:x-amz-grant-read'],
  ['x-amz-grant-read-acp', 's3:x-amz-grant-read-acp'],
  ['x-amz-grant-write', 's3:x-amz-grant-write'],
  ['x-amz-grant-write-acp', 's3:x-amz-grant-write-acp'],
  ['x-amz-metadata-directive', 's3:x-amz-metadata-directive'],
  ['x-amz-object-lock-legal-hold', 's3:object-lock-legal-hold'],
  ['x-amz-object-lock-mode', 's3:object-lock-mode'],
  ['x-amz-object-lock-retain-until-date', 's3:object-lock-retain-until-date'],
  ['x-amz-object-ownership', 's3:x-amz-object-ownership'],
  ['x-amz-server-side-encryption', 's3:x-amz-server-side-encryption'],
  ['x-amz-server-side-encryption-aws-kms-key-id', 's3:x-amz-server-side-encryption-aws-kms-key-id'],
  ['x-amz-server-side-encryption-customer-algorithm', 's3:x-amz-server-side-encryption-customer-algorithm'],
  ['x-amz-storage-class', 's3:x-amz-storage-class'],
  ['x-amz-website-redirect-location', 's3:x-amz-website-redirect-location'],
];

/** Context keys whose value only the store knows. Until they can be looked up, a statement that needs one denies. */
export const lookupKeyPrefixes: readonly string[] = [
  's3:existingobjecttag/',
  's3:buckettag/',
  'aws:resourcetag/',
];

/** The actions that know `s3:prefix`, `s3:delimiter` and `s3:max-keys`. */
const listings: ReadonlySet<string | undefined> = new Set(['s3:ListBucket', 's3:ListBucketVersions']);

const defaultMaxKeys = '1000';

/** No key of S3 has longer values; policies match patterns against them, so their length is work. */
const maxValueLength = 2048;

/**
 * The `s3:*` context of a request. Built from this list only: no header or parameter is copied wholesale.
 * Throws `InvalidArgument` when a value cannot be read. Source: AWS Service Authorization Reference, Amazon S3.
 */
export function s3ConditionKeys(request: RequestedResource, accountId: string): ConditionKey[] {
  const { operation, parameters, headers, copySource } = request;
  const keys: ConditionKey[] = [['s3:ResourceAccount', [accountId]]];
  const add = (key: string, value: string | undefined): void => {
    if (value === undefined) return;
    if (value.length > maxValueLength) throw s3Error('InvalidArgument', `The value for ${key} is too long.`);
    keys.push([key, [value]]);
  };
  if (operation.scope !== 'service') add('aws:ResourceAccount', accountId);
  for (const [header, key] of headerKeys) add(key, headers.get(header));
  add('s3:versionid', parameters.get('versionId'));
  // Whatever way the client wrote it: one spelling for policies to compare.
  if (copySource !== undefined) add('s3:x-amz-copy-source', `${copySource.bucket}/${copySource.key}`);
  if (listings.has(operation.action)) {
    add('s3:prefix', parameters.get('prefix'));
    add('s3:delimiter', parameters.get('delimiter'));
    add('s3:max-keys', parameters.get('max-keys') ?? defaultMaxKeys);
  }
  for (const [key, value] of Object.entries(operation.fixedContext ?? {})) add(key, value);
  return [...keys, ...requestTagKeys(headers.get('x-amz-tagging'))];
}

function requestTagKeys(header: string | undefined): ConditionKey[] {
  if (header === undefined) return [];
  return tagKeys(parseFormTags(header));
}

/** `s3:RequestObjectTag/<key>` and `s3:RequestObjectTagKeys` of tags that are to be set. */
export function tagKeys(tags: readonly ObjectTag[]): ConditionKey[] {
  return [
    ...tags.map(([key, value]): ConditionKey => [`s3:RequestObjectTag/${key}`, [value]]),
    ['s3:RequestObjectTagKeys', tags.map(([key]) => key)],
  ];
}
