/**
 * The bucket of a resource, `arn:aws:s3:::bucket` or `arn:aws:s3:::bucket/key`; `undefined` for resources of other
 * services, which bodies name as their clients like.
 */
export function bucketOfArn(resource: string): string | undefined {
  const start = resource.indexOf(':s3:::');
  // `arn:` and the partition, which has no colon.
  if (start < 0 || resource.indexOf(':') !== resource.lastIndexOf(':', start - 1)) return undefined;
  const from = start + ':s3:::'.length;
  const slash = resource.indexOf('/', from);
  return resource.slice(from, slash < 0 ? undefined : slash);
}
