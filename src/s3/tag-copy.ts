import { aliasesOfSource } from '../core/path-key.ts';
import { tagKeys } from './condition-keys.ts';
import type { CopySource } from './copy-source.ts';
import { objectArn, type Permission, type RequestedResource, type TagCopy } from './operation.ts';
import { writeFormTags } from './tagging-header.ts';

const versionActions: ReadonlyMap<string, string> = new Map([
  ['s3:GetObject', 's3:GetObjectVersion'],
  ['s3:GetObjectTagging', 's3:GetObjectVersionTagging'],
]);

/** An action on the source of a copy. `s3:versionid` is that of the source here, not that of the request. */
export function readSource(
  { bucket, key, versionId }: CopySource,
  action: string,
  partition: string,
): Permission {
  const resource = objectArn(partition, bucket, key);
  const object = { bucket, key, versionId, aliases: aliasesOfSource(key) };
  if (versionId === undefined) return { action, resource, object };
  const conditionKeys = [['s3:versionid', [versionId]]] as const;
  return { action: versionActions.get(action) ?? action, resource, object, conditionKeys };
}

const tagging = 'x-amz-tagging-directive';

// Context keys of a request that sets tags. Their values are unknown until the store has been asked.
const keysOfTags: readonly string[] = ['s3:requestobjecttag/', 's3:requestobjecttagkeys'];

/**
 * The permissions that a copy needs for the tags of its source, which it copies unless it is told to replace them. Source: AWS
 * "CopyObject", on the permissions for copies of tagged objects. Ceph RGW 16 ignores `x-amz-tagging-directive`, and replaces
 * tags together with the metadata. Only when both directives say REPLACE does every store leave the tags behind.
 */
export function tagCopyOf(
  { operation, headers }: RequestedResource,
  source: CopySource,
  { resource, object }: Permission,
  partition: string,
): TagCopy | undefined {
  const directive = directiveOf(headers.get(tagging));
  const isReplaced = directive === 'REPLACE' && headers.get('x-amz-metadata-directive') === 'REPLACE';
  if (operation.copies !== 'object' || isReplaced) return undefined;
  const setting = { action: 's3:PutObjectTagging', resource, object };
  // Policies may put conditions on tags in either permission: an upload with these tags needs both as well.
  const writing = { action: 's3:PutObject', resource, object };
  return {
    directive,
    reads: readSource(source, 's3:GetObjectTagging', partition),
    sets: (tags) => {
      if (tags?.length === 0) return [writing];
      const told = tags === undefined ? { unknownKeys: keysOfTags } : { conditionKeys: tagKeys(tags) };
      return [
        { ...setting, ...told },
        { ...writing, ...told },
      ];
    },
    withTags: (tags) => {
      const written = new Map(headers).set(tagging, 'REPLACE');
      return tags.length === 0 ? written : written.set('x-amz-tagging', writeFormTags(tags));
    },
  };
}

function directiveOf(value: string | undefined): TagCopy['directive'] {
  return value === 'COPY' || value === 'REPLACE' ? value : undefined;
}
