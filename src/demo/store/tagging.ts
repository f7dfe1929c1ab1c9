import { parseQuery } from '../../core/request-target.ts';
import { childText } from '../../core/xml.ts';
import { type Answer, emptyAnswer, xmlAnswer } from './answer.ts';
import { readDocument } from './bucket-operations.ts';
import { bucketOf, type Contents, objectOf, type Tags } from './contents.ts';
import { storeError } from './errors.ts';
import type { StoreCall } from './store-call.ts';

const limits = { maxBytes: 64 * 1024, maxDepth: 4 };
const maxTags = 10;

/** The tags of `x-amz-tagging`, encoded like a query. Throws InvalidArgument. */
export function readTaggingHeader(call: StoreCall): Tags {
  const pairs = parseQuery(call.headers.get('x-amz-tagging') ?? '');
  if (pairs === undefined) throw storeError('InvalidArgument');
  return checkTags(pairs.map(({ name, value }) => [name, value] as const));
}

/** GetObjectTagging. Throws NoSuchKey, NoSuchVersion. */
export function getObjectTagging(call: StoreCall, contents: Contents): Answer {
  const { tags } = objectOf(call, contents);
  return xmlAnswer('Tagging', { TagSet: { Tag: [...tags].map(([Key, Value]) => ({ Key, Value })) } });
}

/** PutObjectTagging: replaces all tags. Throws NoSuchKey, NoSuchVersion, MalformedXML, InvalidArgument. */
export function putObjectTagging(call: StoreCall, contents: Contents): Answer {
  setTags(call, contents, readTagging(call.body));
  return emptyAnswer(200);
}

/** DeleteObjectTagging. Throws NoSuchKey, NoSuchVersion. */
export function deleteObjectTagging(call: StoreCall, contents: Contents): Answer {
  setTags(call, contents, new Map());
  return emptyAnswer(204);
}

function setTags(call: StoreCall, contents: Contents, tags: Tags): void {
  const object = objectOf(call, contents);
  bucketOf(contents, call.bucketName).objects.set(call.key, { ...object, tags });
}

function readTagging(body: Buffer): Tags {
  const [tagSet] = readDocument(body, 'Tagging', limits).children;
  if (tagSet?.name !== 'TagSet') throw storeError('MalformedXML');
  const pairs = tagSet.children.map((tag) => {
    const key = childText(tag, 'Key');
    const value = childText(tag, 'Value');
    if (tag.name !== 'Tag' || key === undefined || value === undefined) throw storeError('MalformedXML');
    return [key, value] as const;
  });
  return checkTags(pairs);
}

function checkTags(pairs: readonly (readonly [key: string, value: string])[]): Tags {
  const tags = new Map(pairs);
  if (tags.size !== pairs.length || tags.size > maxTags || tags.has('')) throw storeError('InvalidArgument');
  return tags;
}
