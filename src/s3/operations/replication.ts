import type { XmlElement } from '../../core/xml.ts';
import type { DocumentFacts, DocumentRule, Permission, S3Request } from '../operation.ts';
import { leafText, malformed, readDocument, rewriteElement, uniqueChildren } from '../strict-document.ts';
import { bucketOfArn, requiredText, tagsOfTarget, targetPermissions } from './delivery-targets.ts';

/** AWS's limit. */
const maxBytes = 2 * 1024 * 1024;
const maxRules = 1000;

// AWS's names of what the role of a replication does, read and written.
const readingActions: readonly string[] = ['s3:GetObjectVersionForReplication'];
const writingActions: readonly string[] = ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'];
const owningAction = 's3:ObjectOwnerOverrideToBucketOwner';

/**
 * On AWS, a replication acts with the permissions of its role, and the caller who configures it needs iam:PassRole on that
 * role. A store has no such role and copies with its own authority, so the caller needs the role's permissions as well.
 */
export const replicationDocument: DocumentRule = {
  maxBytes,
  read: readReplication,
  actions: [...readingActions, ...writingActions, owningAction, 'iam:PassRole'],
};

const ofRule: ReadonlySet<string> = new Set([
  'DeleteMarkerReplication',
  'DeleteReplication',
  'Destination',
  'ExistingObjectReplication',
  'Filter',
  'ID',
  'Prefix',
  'Priority',
  'SourceSelectionCriteria',
  'Status',
]);
const ofDestination: ReadonlySet<string> = new Set([
  'AccessControlTranslation',
  'Account',
  'Bucket',
  'EncryptionConfiguration',
  'Metrics',
  'ReplicationTime',
  'StorageClass',
]);

// Source: AWS "PutBucketReplication" and "Setting up permissions for live replication".
function readReplication(request: S3Request, body: Buffer, partition: string): DocumentFacts {
  const root = readDocument(body, { root: 'ReplicationConfiguration', maxBytes, maxDepth: 8 });
  const rules = root.children.filter(({ name }) => name === 'Rule');
  const [role, ...others] = root.children.filter(({ name }) => name !== 'Rule');
  const isKnown = others.length === 0 && (role === undefined || role.name === 'Role');
  if (!isKnown || rules.length === 0 || rules.length > maxRules) throw malformed();
  const source = { bucket: request.bucket, prefix: '' };
  return {
    permissions: [
      ...rolePermissions(leafText(role)),
      ...targetPermissions(source, readingActions, partition),
      ...destinationPermissions(rules, partition),
    ],
    rewritten: rewriteElement(root),
  };
}

function rolePermissions(roleArn: string | undefined): Permission[] {
  if (roleArn === undefined || roleArn === '') return [];
  if (!/^arn:[^:\s]+:iam:[^:\s]*:[^:\s]*:role\/[^\s*?]+$/.test(roleArn)) throw malformed();
  return [{ action: 'iam:PassRole', resource: roleArn, object: undefined, unknownKeys: tagsOfTarget }];
}

// A thousand rules may name one bucket; it is decided once.
function destinationPermissions(rules: readonly XmlElement[], partition: string): Permission[] {
  const actionsByBucket = new Map<string, Set<string>>();
  for (const rule of rules) {
    const destination = uniqueChildren(rule, ofRule).get('Destination');
    if (destination === undefined) throw malformed();
    const children = uniqueChildren(destination, ofDestination);
    const bucket = bucketOfArn(requiredText(children, 'Bucket'));
    const actions = actionsByBucket.get(bucket) ?? new Set(writingActions);
    if (children.has('AccessControlTranslation')) actions.add(owningAction);
    actionsByBucket.set(bucket, actions);
  }
  return [...actionsByBucket].flatMap(([bucket, actions]) =>
    targetPermissions({ bucket, prefix: '' }, [...actions], partition),
  );
}
