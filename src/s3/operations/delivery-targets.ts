import { pathsOfKey } from '../../core/path-key.ts';
import type { XmlElement } from '../../core/xml.ts';
import { checkBucket } from '../addressing.ts';
import { s3Error } from '../errors.ts';
import { objectArn, type Permission } from '../operation.ts';
import { isStoresKey, storeNameRefused } from '../store-names.ts';
import { leafText, malformed } from '../strict-document.ts';

/** A place in a bucket that the store will write to on its own. */
export interface DeliveryTarget {
  readonly bucket: string;
  /** What the keys start with; may be empty. */
  readonly prefix: string;
  /** A more exact prefix, when the store continues the given one in a known way. */
  readonly folder?: string;
}

/** Keys of topics, queues and roles, which cannot be looked up here. A statement that needs one denies. */
export const tagsOfTarget: readonly string[] = ['aws:resourcetag/', 'iam:resourcetag/'];

const bucketArnSyntax = /^arn:[a-z0-9-]+:s3:::([^:/*?]+)$/;

/**
 * The bucket of an ARN such as `arn:aws:s3:::reports`. Buckets of other accounts and services, access points included,
 * are refused: no policy here can apply to them.
 * @throws `NotImplemented`, `InvalidBucketName`
 */
export function bucketOfArn(arn: string): string {
  const [, bucket] = bucketArnSyntax.exec(arn) ?? [];
  if (bucket === undefined) {
    throw s3Error('NotImplemented', 'Only buckets of this endpoint can be the destination.');
  }
  return checkBucket(bucket);
}

/**
 * The permissions for these actions on everything that the store may write there. Two keys represent it: the prefix with a
 * literal `*`, as AWS writes it, and a longer key, so that a pattern of single characters (`?`) does not seem to match all.
 */
export function targetPermissions(
  { bucket, prefix, folder = prefix }: DeliveryTarget,
  actions: readonly string[],
  partition: string,
): Permission[] {
  const within = objectArn(partition, bucket, prefix);
  return [`${prefix}*`, `${folder}*/*`].flatMap((key) => {
    const resource = objectArn(partition, bucket, key);
    const object = { bucket, key };
    return actions.map((action) => ({ action, resource, object, within }));
  });
}

/**
 * The text of a child, which must be present and not empty.
 * @throws `MalformedXML`
 */
export function requiredText(children: ReadonlyMap<string, XmlElement>, name: string): string {
  const text = leafText(children.get(name));
  if (text === undefined || text === '') throw malformed();
  return text;
}

/**
 * A prefix of keys; none is the empty one.
 * @throws `MalformedXML`, `InvalidArgument`
 */
export function prefixText(element: XmlElement | undefined): string {
  const prefix = leafText(element) ?? '';
  // A literal star would look like a pattern in decisions and logs. Some stores cut off white space, or read keys as paths.
  const isUnclear =
    /[*?\0]/.test(prefix) ||
    prefix.trim() !== prefix ||
    [prefix, folderOf(prefix)].some((start) => pathsOfKey(`${start}x`).length > 0);
  if (isStoresKey(prefix)) throw storeNameRefused('InvalidArgument');
  if (isUnclear || Buffer.byteLength(prefix, 'utf8') > maxPrefixBytes) {
    throw s3Error('InvalidArgument', 'The prefix is too long, or could be read in two ways.');
  }
  return prefix;
}

const maxPrefixBytes = 1024;

/** A prefix as the folder of reports: stores append a slash. */
export function folderOf(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}
