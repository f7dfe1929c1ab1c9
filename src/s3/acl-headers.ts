import { s3Error } from './errors.ts';
import type { ForwardedHeaders } from './operation.ts';

/** Headers that grant permissions to a grantee. */
export const grantHeaders: readonly string[] = [
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
];

/** Headers that set an ACL. */
export const aclHeaders: readonly string[] = ['x-amz-acl', ...grantHeaders];

/**
 * Refuses a canned ACL beside grants, as AWS does: a store that uses only one of them would set another ACL than the
 * policies saw.
 * @throws `InvalidRequest`
 */
export function checkAclHeaders(headers: ForwardedHeaders): void {
  if (headers.has('x-amz-acl') && grantHeaders.some((name) => headers.has(name))) {
    throw s3Error('InvalidRequest', 'Specifying both Canned ACLs and Header Grants is not allowed');
  }
}
