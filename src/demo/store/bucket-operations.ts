import { childText, readXml, type XmlElement, XmlError, type XmlLimits } from '../../core/xml.ts';
import { type Answer, emptyAnswer, xmlAnswer } from './answer.ts';
import { bucketOf, type Contents, compareKeys } from './contents.ts';
import { storeError } from './errors.ts';
import type { StoreCall } from './store-call.ts';

/** The one account everything in this store belongs to. */
export const owner: { readonly ID: string; readonly DisplayName: string } = {
  ID: 'demo-store-owner',
  DisplayName: 'demo-store-owner',
};

/** Reads a request document with that root element. Throws MalformedXML. */
export function readDocument(body: Buffer, root: string, limits: XmlLimits): XmlElement {
  try {
    const document = readXml(body, limits);
    if (document.name === root) return document;
  } catch (cause) {
    if (!(cause instanceof XmlError)) throw cause;
  }
  throw storeError('MalformedXML');
}

/** ListBuckets. */
export function listBuckets(_call: StoreCall, contents: Contents): Answer {
  const buckets = [...contents.buckets.values()].sort((left, right) => compareKeys(left.name, right.name));
  return xmlAnswer('ListAllMyBucketsResult', {
    Owner: owner,
    Buckets: {
      Bucket: buckets.map(({ name, createdMs }) => ({
        Name: name,
        CreationDate: new Date(createdMs).toISOString(),
      })),
    },
  });
}

/** CreateBucket. Throws MalformedXML, IllegalLocationConstraintException, BucketAlreadyOwnedByYou. */
export function createBucket(call: StoreCall, contents: Contents): Answer {
  if (call.body.length > 0) {
    const configuration = readDocument(call.body, 'CreateBucketConfiguration', {
      maxBytes: 64 * 1024,
      maxDepth: 4,
    });
    const location = childText(configuration, 'LocationConstraint') ?? contents.region;
    if (location !== contents.region) throw storeError('IllegalLocationConstraintException');
  }
  const name = call.bucketName;
  if (contents.buckets.has(name))
    throw storeError('BucketAlreadyOwnedByYou', { fields: { BucketName: name } });
  contents.buckets.set(name, { name, createdMs: call.nowMs, objects: new Map(), uploads: new Map() });
  return emptyAnswer(200, { location: `/${name}` });
}

/** HeadBucket. */
export function headBucket(call: StoreCall, contents: Contents): Answer {
  bucketOf(contents, call.bucketName);
  return emptyAnswer(200, { 'x-amz-bucket-region': contents.region });
}

/** DeleteBucket; unfinished uploads go with it. Throws BucketNotEmpty. */
export function deleteBucket(call: StoreCall, contents: Contents): Answer {
  const bucket = bucketOf(contents, call.bucketName);
  if (bucket.objects.size > 0) throw storeError('BucketNotEmpty', { fields: { BucketName: bucket.name } });
  contents.buckets.delete(bucket.name);
  return emptyAnswer(204);
}

/** GetBucketLocation; us-east-1 is the empty constraint. */
export function getBucketLocation(call: StoreCall, contents: Contents): Answer {
  bucketOf(contents, call.bucketName);
  return xmlAnswer('LocationConstraint', contents.region === 'us-east-1' ? '' : contents.region);
}
