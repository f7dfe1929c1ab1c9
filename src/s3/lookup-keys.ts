import type { Permission } from './operation.ts';

/**
 * The actions that know `s3:ExistingObjectTag/<key>`. Writing and deleting objects do not: on AWS too, the tags of an
 * object cannot protect it from being overwritten or deleted (AWS "Tagging and access control policies").
 */
const objectTagActions: ReadonlySet<string> = new Set([
  's3:DeleteObjectAnnotation',
  's3:DeleteObjectTagging',
  's3:DeleteObjectVersionAnnotation',
  's3:DeleteObjectVersionTagging',
  's3:GetObject',
  's3:GetObjectAcl',
  's3:GetObjectAnnotation',
  's3:GetObjectAttributes',
  's3:GetObjectTagging',
  's3:GetObjectTorrent',
  's3:GetObjectVersion',
  's3:GetObjectVersionAcl',
  's3:GetObjectVersionAnnotation',
  's3:GetObjectVersionAttributes',
  's3:GetObjectVersionTagging',
  's3:GetObjectVersionTorrent',
  's3:ListObjectAnnotations',
  's3:ListObjectVersionAnnotations',
  's3:PutObjectAcl',
  's3:PutObjectAnnotation',
  's3:PutObjectTagging',
  's3:PutObjectVersionAcl',
  's3:PutObjectVersionAnnotation',
  's3:PutObjectVersionTagging',
  's3:UpdateObjectEncryption',
]);

const ofBuckets: readonly string[] = ['s3:buckettag/', 'aws:resourcetag/'];
const ofObjects: readonly string[] = ['s3:existingobjecttag/', 's3:buckettag/', 'aws:resourcetag/'];
const none: readonly string[] = [];

/** Prefixes, in lower case, of the context keys of a permission's action that only the store knows. */
export function lookupKeysOf({ action, resource }: Permission): readonly string[] {
  // Topics, queues and roles are not in the store; a client may name any.
  if (!action.startsWith('s3:')) return none;
  // By the action alone: if `object` were unset by mistake, a Deny would be lost.
  if (objectTagActions.has(action)) return ofObjects;
  return resource.endsWith(':::*') || action === 's3:CreateBucket' ? none : ofBuckets;
}
