/**
 * The bucket of a resource, `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/key`. `undefined` for other services: a body can
 * name any ARN, for example the topic of a notification.
 */
export function bucketOfArn(resource: string): string | undefined {
  const start = resource.indexOf(':s3:::');
  // `arn:` and the partition, which has no colon.
  if (start < 0 || resource.indexOf(':') !== resource.lastIndexOf(':', start - 1)) return undefined;
  const from = start + ':s3:::'.length;
  const slash = resource.indexOf('/', from);
  return resource.slice(from, slash < 0 ? undefined : slash);
}
