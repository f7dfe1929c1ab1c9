import { childOf, childText, readXml, writeXml, type XmlElement, type XmlTree } from '../core/xml.ts';
import { s3Error } from './errors.ts';
import { type BucketFilter, type BucketList, bucketArn, type RequestedResource } from './operation.ts';

/** What ListBuckets shows to a caller who may not list all buckets; `undefined` for every other operation. */
export function bucketFilter(
  { operation, parameters }: RequestedResource,
  account: { readonly accountId: string; readonly partition: string },
): BucketFilter | undefined {
  if (operation.listsBuckets !== true) return undefined;
  return {
    parameters: new Map([...parameters].filter(([name]) => !pageParameters.has(name))),
    permissionOn: (bucket) => ({
      action: 's3:ListBucket',
      resource: bucketArn(account.partition, bucket),
      object: undefined,
      conditionKeys: [
        ['aws:ResourceAccount', [account.accountId]],
        ['s3:max-keys', ['1000']],
      ],
    }),
    read: readBucketList,
  };
}

// A continuation token can be a bucket name, and a page of one bucket would reveal whether a hidden bucket exists.
const pageParameters: ReadonlySet<string> = new Set(['continuation-token', 'max-buckets']);

const maxResultBytes = 8 * 1024 * 1024;

function readBucketList(storeResult: Uint8Array): BucketList {
  const root = readResult(storeResult);
  const found = childOf(root, 'Buckets')?.children.filter(({ name }) => name === 'Bucket') ?? [];
  // Not the elements, which take ten times the memory of their text, and are held until the last bucket has been decided on.
  const names = found.map((bucket) => childText(bucket, 'Name') ?? '');
  const buckets = found.map(toTree);
  const owner = childOf(root, 'Owner');
  const rest = { Owner: owner && toTree(owner), Prefix: childText(root, 'Prefix') };
  return {
    names,
    write: (visible) => {
      const shown = buckets.filter((_, index) => visible.has(names[index] ?? ''));
      return shown.length === 0 ? undefined : writeResult(rest, shown);
    },
  };
}

function readResult(storeResult: Uint8Array): XmlElement {
  try {
    const root = readXml(storeResult, { maxBytes: maxResultBytes, maxDepth: 5 });
    if (root.name === 'ListAllMyBucketsResult') return root;
  } catch (cause) {
    throw s3Error('InternalError', undefined, {
      cause,
      detail: 'the store answered no readable bucket list',
    });
  }
  throw s3Error('InternalError', undefined, { detail: 'the store answered no bucket list' });
}

function writeResult(
  { Owner, Prefix }: { readonly Owner: XmlTree | undefined; readonly Prefix: string | undefined },
  shown: readonly XmlTree[],
): Buffer {
  const content: XmlTree = { Owner, Buckets: { Bucket: shown }, Prefix };
  const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
  return Buffer.from(writeXml('ListAllMyBucketsResult', content, namespace), 'utf8');
}

function toTree({ children }: XmlElement): XmlTree {
  return Object.fromEntries(children.map(({ name, text }) => [name, text]));
}
