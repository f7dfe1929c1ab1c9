import { aliasesOfSubresource } from '../../core/path-key.ts';
import { aclHeaders } from '../acl-headers.ts';
import { s3Error } from '../errors.ts';
import type { DocumentFacts, DocumentRule, S3Operation, S3Request } from '../operation.ts';

/** A hundred grants, which is what AWS takes, and more than enough for each. */
const maxBytes = 131_072;

/**
 * An ACL comes as headers, which are context keys, or as a document, which is passed on byte for byte. Both at once are
 * refused: a store might set the one that policies did not see.
 */
const aclDocument: DocumentRule = { maxBytes, read: requireOneSource };

function requireOneSource({ headers }: S3Request, body: Buffer): DocumentFacts {
  if (body.length > 0 && aclHeaders.some((name) => headers.has(name))) {
    throw s3Error('InvalidRequest', 'An ACL is set by headers or by a document, not by both.');
  }
  return {};
}

/** ACLs of buckets and objects. */
export const aclOperations: readonly S3Operation[] = [
  {
    name: 'GetBucketAcl',
    method: 'GET',
    scope: 'bucket',
    selectors: ['acl'],
    parameters: [],
    headers: [],
    body: 'none',
    answerRoots: ['AccessControlPolicy'],
    action: 's3:GetBucketAcl',
  },
  {
    name: 'PutBucketAcl',
    method: 'PUT',
    scope: 'bucket',
    selectors: ['acl'],
    parameters: [],
    headers: aclHeaders,
    body: 'document',
    document: aclDocument,
    unlessKnown: 'probe',
    answerRoots: ['AccessControlPolicy'],
    action: 's3:PutBucketAcl',
  },
  {
    name: 'GetObjectAcl',
    method: 'GET',
    scope: 'object',
    selectors: ['acl'],
    parameters: ['versionId'],
    headers: [],
    body: 'none',
    answerRoots: ['AccessControlPolicy'],
    action: 's3:GetObjectAcl',
    versionAction: 's3:GetObjectVersionAcl',
    aliasesOf: aliasesOfSubresource,
    revealsMissing: true,
  },
  {
    name: 'PutObjectAcl',
    method: 'PUT',
    scope: 'object',
    selectors: ['acl'],
    parameters: ['versionId'],
    headers: aclHeaders,
    body: 'document',
    document: aclDocument,
    unlessKnown: 'probe',
    answerRoots: ['AccessControlPolicy'],
    action: 's3:PutObjectAcl',
    versionAction: 's3:PutObjectVersionAcl',
    aliasesOf: aliasesOfSubresource,
    revealsMissing: true,
  },
];
