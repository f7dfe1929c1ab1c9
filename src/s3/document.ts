import { tagKeys } from './condition-keys.ts';
import type { S3Request } from './operation.ts';
import { maxCreateBucketBytes, parseLocationConstraint } from './operations/create-bucket.ts';
import { deleteBatch, maxDeleteBytes } from './operations/delete-objects.ts';
import { maxTaggingBytes, parseTagging, writeTagging } from './operations/tagging.ts';
import { maxVersioningBytes, rewriteVersioning } from './operations/versioning.ts';
import type { ObjectTag } from './tagging-header.ts';

// CompleteMultipartUpload names up to 10,000 parts with an ETag and a checksum each.
const maxCompleteBytes = 4 * 1024 * 1024;

/** The largest document an operation takes, in bytes. */
export function maxDocumentBytes(request: S3Request): number {
  switch (request.operation.name) {
    case 'CreateBucket':
      return maxCreateBucketBytes;
    case 'DeleteObjects':
      return maxDeleteBytes;
    case 'PutBucketVersioning':
      return maxVersioningBytes;
    case 'PutObjectTagging':
      return maxTaggingBytes;
    default:
      return maxCompleteBytes;
  }
}

/**
 * Adds the body of a document operation, read whole and verified, and everything it says that matters to the
 * decision. Throws `MalformedXML`, `NotImplemented`, `KeyTooLongError`.
 */
export function withDocument(request: S3Request, body: Buffer, partition: string): S3Request {
  switch (request.operation.name) {
    case 'CreateBucket': {
      const location = parseLocationConstraint(body);
      const conditionKeys =
        location === undefined
          ? request.conditionKeys
          : [...request.conditionKeys, ['s3:locationconstraint', [location]] as const];
      return { ...request, document: body, conditionKeys };
    }
    case 'PutObjectTagging':
      return withTags(request, parseTagging(body));
    case 'PutBucketVersioning':
      return { ...request, document: rewriteVersioning(body), isDocumentRewritten: true };
    case 'DeleteObjects':
      return { ...request, document: body, permissions: [], batch: deleteBatch(request, body, partition) };
    default:
      return { ...request, document: body };
  }
}

// Written anew, so that the store sets the very tags that were authorized.
function withTags(request: S3Request, tags: readonly ObjectTag[]): S3Request {
  return {
    ...request,
    document: writeTagging(tags),
    isDocumentRewritten: true,
    conditionKeys: [...request.conditionKeys, ...tagKeys(tags)],
  };
}
