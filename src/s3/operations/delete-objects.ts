import { aliasesOfDeleted, leavesItsBucket } from '../../core/path-key.ts';
import { childText, readXml, type XmlElement, type XmlTree } from '../../core/xml.ts';
import { namesETag } from '../conditional-headers.ts';
import { s3Error } from '../errors.ts';
import {
  type Batch,
  type BatchItem,
  type ConditionKey,
  type DocumentFacts,
  objectArn,
  type Permission,
  type S3Operation,
  type S3Request,
} from '../operation.ts';
import { requireFeature } from '../store-features.ts';
import { requireVersionId } from '../store-id.ts';
import { isStoresKey, storeNameRefused } from '../store-names.ts';
import { malformed, readDocument, writeDocument } from '../strict-document.ts';
import { bypassActions } from './permission-rules.ts';

// AWS's limits for one DeleteObjects.
const maxDeleteBytes: number = 2 * 1024 * 1024;
const maxEntries = 1000;
const maxKeyBytes = 1024;

/** Multi-delete: authorized key by key, so its row has permissions of its own below. */
export const deleteObjectsOperation: S3Operation = {
  name: 'DeleteObjects',
  method: 'POST',
  scope: 'bucket',
  selectors: ['delete'],
  parameters: [],
  headers: ['x-amz-bypass-governance-retention'],
  body: 'document',
  document: {
    maxBytes: maxDeleteBytes,
    read: readBatch,
    actions: ['s3:GetObject', 's3:BypassGovernanceRetention'],
    itemActions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  },
  action: 's3:DeleteObject',
  makesVersion: true,
  versionAction: 's3:DeleteObjectVersion',
};

interface DeleteEntry {
  readonly key: string;
  readonly versionId?: string;
  readonly eTag?: string;
}

interface DeleteDocument {
  readonly entries: readonly DeleteEntry[];
  readonly isQuiet: boolean;
}

// Strict: an element this version does not know is refused, because the store might know it.
function parseDeleteDocument(body: Uint8Array): DeleteDocument {
  const root = readDocument(body, { root: 'Delete', maxBytes: maxDeleteBytes, maxDepth: 4 });
  const entries: DeleteEntry[] = [];
  let quiet: string | undefined;
  for (const child of root.children) {
    if (child.name === 'Object') entries.push(parseEntry(child));
    else if (child.name === 'Quiet' && quiet === undefined) quiet = child.text.trim().toLowerCase();
    else throw malformed();
  }
  if (entries.length === 0 || entries.length > maxEntries || root.text.trim() !== '') throw malformed();
  if (quiet !== undefined && quiet !== 'true' && quiet !== 'false') throw malformed();
  return { entries, isQuiet: quiet === 'true' };
}

const entryElements: ReadonlySet<string> = new Set(['Key', 'VersionId', 'ETag']);

function parseEntry(element: XmlElement): DeleteEntry {
  const names = element.children.map(({ name }) => name);
  const isKnown = names.every((name) => entryElements.has(name)) && new Set(names).size === names.length;
  const isFlat =
    element.text.trim() === '' && element.children.every(({ children }) => children.length === 0);
  const key = childText(element, 'Key');
  if (!isKnown || !isFlat || key === undefined || key === '' || key.includes('\0')) throw malformed();
  if (Buffer.byteLength(key, 'utf8') > maxKeyBytes) throw s3Error('KeyTooLongError');
  if (leavesItsBucket(key)) throw malformed();
  if (isStoresKey(key)) throw storeNameRefused('MalformedXML');
  const versionId = childText(element, 'VersionId');
  if (versionId !== undefined && versionId !== '') requireVersionId(versionId);
  const eTag = childText(element, 'ETag');
  if (eTag !== undefined && !namesETag(eTag)) throw malformed();
  return {
    key,
    ...(versionId === undefined || versionId === '' ? {} : { versionId }),
    ...(eTag === undefined ? {} : { eTag }),
  };
}

/**
 * The entries of a multi-delete as a batch: one decision each.
 * @throws `MalformedXML`, `KeyTooLongError`, `InvalidArgument`, `NotImplemented`
 */
function readBatch(request: S3Request, body: Uint8Array, partition: string): DocumentFacts {
  return { batch: deleteBatch(request, body, partition) };
}

function deleteBatch(request: S3Request, body: Uint8Array, partition: string): Batch {
  const document = parseDeleteDocument(body);
  if (document.entries.some(({ eTag }) => eTag !== undefined)) {
    requireFeature('conditionalBatchDelete', 'DeleteObjects with <ETag>', request.supports);
  }
  const pick = (indexes: readonly number[]): DeleteEntry[] => {
    const picked = new Set(indexes);
    return document.entries.filter((_, index) => picked.has(index));
  };
  return {
    items: document.entries.map((entry) => new DeleteItem(request, entry, partition)),
    writeBody: (allowed) => writeDeleteDocument({ ...document, entries: pick(allowed) }),
    writeResult: (storeResult, denied) => mergeDeleteResult(storeResult, pick(denied)),
  };
}

/**
 * Makes its permissions when they are asked for: they take several times what the document does, and the batch lasts until
 * its answer.
 */
class DeleteItem implements BatchItem {
  readonly #request: S3Request;
  readonly #entry: DeleteEntry;
  readonly #partition: string;

  constructor(request: S3Request, entry: DeleteEntry, partition: string) {
    this.#request = request;
    this.#entry = entry;
    this.#partition = partition;
  }

  get permissions(): readonly Permission[] {
    return deletePermissions(this.#request, this.#entry, this.#partition);
  }

  get conditionKeys(): readonly ConditionKey[] {
    return entryKeys(this.#request, this.#entry);
  }
}

function entryKeys(
  { conditionKeys }: S3Request,
  { versionId, eTag }: DeleteEntry,
): S3Request['conditionKeys'] {
  if (versionId === undefined && eTag === undefined) return conditionKeys;
  return [
    ...conditionKeys,
    ...(versionId === undefined ? [] : [['s3:versionid', [versionId]] as const]),
    ...(eTag === undefined ? [] : [['s3:if-match', [eTag]] as const]),
  ];
}

function writeDeleteDocument(document: DeleteDocument): Buffer {
  const content: XmlTree = {
    Object: document.entries.map(({ key, versionId, eTag }) => ({
      Key: key,
      VersionId: versionId,
      ETag: eTag,
    })),
    ...(document.isQuiet ? { Quiet: true } : {}),
  };
  return writeDocument('Delete', content);
}

function deletePermissions(request: S3Request, entry: DeleteEntry, partition: string): Permission[] {
  const action = entry.versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
  const ifMatch = entry.eTag === undefined || entry.eTag === '*' ? [] : ['s3:GetObject'];
  const resource = objectArn(partition, request.bucket, entry.key);
  const { key, versionId } = entry;
  const object = { bucket: request.bucket, key, versionId, aliases: aliasesOfDeleted(key) };
  return [action, ...bypassActions(request.headers), ...ifMatch].map((name) => ({
    action: name,
    resource,
    object,
  }));
}

function deniedElement({ key, versionId }: DeleteEntry): XmlTree {
  return { Key: key, VersionId: versionId, Code: 'AccessDenied', Message: 'Access Denied' };
}

// The store's result is read and written anew, so that nothing but its entries reaches the client.
function mergeDeleteResult(storeResult: Uint8Array | undefined, denied: readonly DeleteEntry[]): Buffer {
  const entries = storeResult === undefined ? [] : readStoreResult(storeResult);
  const content: XmlTree = {
    Deleted: entries.filter(({ name }) => name === 'Deleted').map(toTree),
    Error: [...entries.filter(({ name }) => name === 'Error').map(toTree), ...denied.map(deniedElement)],
  };
  return writeDocument('DeleteResult', content);
}

function readStoreResult(storeResult: Uint8Array): readonly XmlElement[] {
  try {
    const root = readXml(storeResult, { maxBytes: 4 * maxDeleteBytes, maxDepth: 4 });
    if (root.name === 'DeleteResult') return root.children;
  } catch (cause) {
    // The deletions happened: a client told anything but "unknown" could draw the wrong conclusion.
    throw s3Error('InternalError', undefined, {
      cause,
      detail: 'the store answered no readable DeleteResult',
    });
  }
  throw s3Error('InternalError', undefined, { detail: 'the store answered no DeleteResult' });
}

function toTree(element: XmlElement): XmlTree {
  return Object.fromEntries(element.children.map(({ name, text }) => [name, text]));
}
