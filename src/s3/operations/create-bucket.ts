import { s3Error } from '../errors.ts';
import type { ConditionKey, DocumentFacts, DocumentRule, ObjectTag, S3Request } from '../operation.ts';
import { leafText, malformed, readDocument, uniqueChildren, writeDocument } from '../strict-document.ts';
import { checkBucketTags } from '../tagging-header.ts';
import { readTags } from './tagging.ts';

// Fifty tags, every character escaped, and little else.
const maxBytes = 131_072;

const elements: ReadonlySet<string> = new Set(['LocationConstraint', 'Tags', 'Location', 'Bucket']);
/** Only directory buckets, which this endpoint has none of, are described by these. */
const ofDirectoryBuckets: readonly string[] = ['Location', 'Bucket'];

/** The region and the tags of a new bucket, told to policies and written anew. */
export const createBucketDocument: DocumentRule = {
  maxBytes,
  read: readConfiguration,
  actions: ['s3:TagResource'],
};

// Throws `MalformedXML`, `InvalidArgument`, `NotImplemented`.
function readConfiguration(request: S3Request, body: Buffer): DocumentFacts {
  if (body.length === 0) return {};
  const shape = { root: 'CreateBucketConfiguration', maxBytes, maxDepth: 4 };
  const children = uniqueChildren(readDocument(body, shape), elements);
  if (ofDirectoryBuckets.some((name) => children.has(name))) {
    throw s3Error('NotImplemented', 'Directory buckets are not supported.');
  }
  const location = leafText(children.get('LocationConstraint'));
  if (location !== undefined && /\s/.test(location)) throw malformed();
  const tagSet = children.get('Tags');
  const tags = tagSet === undefined ? [] : readTags(tagSet);
  checkBucketTags(tags);
  const [own] = request.permissions;
  const isTagged = tags.length > 0 && own !== undefined;
  return {
    conditionKeys: [
      ...(location === undefined ? [] : [['s3:locationconstraint', [location]] as const]),
      ...requestTagKeys(tags),
    ],
    permissions: isTagged ? [{ action: 's3:TagResource', resource: own.resource, object: undefined }] : [],
    rewritten: writeDocument('CreateBucketConfiguration', {
      LocationConstraint: location,
      Tags: tags.length === 0 ? undefined : { Tag: tags.map(([key, value]) => ({ Key: key, Value: value })) },
    }),
  };
}

// Source: AWS "CreateBucket" and "Controlling access to AWS resources using tags".
function requestTagKeys(tags: readonly ObjectTag[]): ConditionKey[] {
  if (tags.length === 0) return [];
  return [
    ...tags.map(([key, value]): ConditionKey => [`aws:RequestTag/${key}`, [value]]),
    ['aws:TagKeys', tags.map(([key]) => key)],
  ];
}
