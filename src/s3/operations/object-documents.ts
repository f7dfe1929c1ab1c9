import { s3Error } from '../errors.ts';
import type { ConditionKey, DocumentFacts, DocumentRule, S3Request } from '../operation.ts';
import {
  leafText,
  malformed,
  readDocument,
  rewriteElement,
  uniqueChildren,
  writeDocument,
} from '../strict-document.ts';

const maxBytes = 65_536;

/** `<RestoreRequest>`, written anew without anything but how long and how fast. */
export const restoreDocument: DocumentRule = { maxBytes, read: readRestore };

/** `<ObjectEncryption>`, told to policies and written anew. */
export const encryptionDocument: DocumentRule = { maxBytes, read: readEncryption };

const restoreElements: ReadonlySet<string> = new Set([
  'Days',
  'GlacierJobParameters',
  'Tier',
  'Description',
  'Type',
  'SelectParameters',
  'OutputLocation',
]);
// A restore that selects writes its result into any bucket it names.
const ofSelectRestores: readonly string[] = ['Type', 'SelectParameters', 'OutputLocation'];

// Throws `MalformedXML`, `NotImplemented`. Source: AWS "RestoreObject".
function readRestore(_: S3Request, body: Buffer): DocumentFacts {
  if (body.length === 0) return {};
  const root = readDocument(body, { root: 'RestoreRequest', maxBytes, maxDepth: 8 });
  const children = uniqueChildren(root, restoreElements);
  if (ofSelectRestores.some((name) => children.has(name))) {
    throw s3Error('NotImplemented', 'Restoring the result of a query is not supported.');
  }
  return { rewritten: rewriteElement(root) };
}

const encryptionElements: ReadonlySet<string> = new Set(['SSE-KMS']);
const kmsElements: ReadonlySet<string> = new Set(['KMSKeyArn', 'BucketKeyEnabled']);

// Source: AWS "UpdateObjectEncryption", which knows one kind of encryption.
function readEncryption(_: S3Request, body: Buffer): DocumentFacts {
  const root = readDocument(body, { root: 'ObjectEncryption', maxBytes, maxDepth: 3 });
  const kms = uniqueChildren(root, encryptionElements).get('SSE-KMS');
  if (kms === undefined) throw malformed();
  const children = uniqueChildren(kms, kmsElements);
  const keyArn = leafText(children.get('KMSKeyArn'));
  const bucketKey = leafText(children.get('BucketKeyEnabled'))?.trim();
  if (keyArn === undefined || keyArn === '' || /\s/.test(keyArn)) throw malformed();
  if (bucketKey !== undefined && bucketKey !== 'true' && bucketKey !== 'false') throw malformed();
  const conditionKeys: ConditionKey[] = [
    ['s3:x-amz-server-side-encryption', ['aws:kms']],
    ['s3:x-amz-server-side-encryption-aws-kms-key-id', [keyArn]],
  ];
  return {
    conditionKeys,
    rewritten: writeDocument('ObjectEncryption', {
      'SSE-KMS': { KMSKeyArn: keyArn, BucketKeyEnabled: bucketKey },
    }),
  };
}
