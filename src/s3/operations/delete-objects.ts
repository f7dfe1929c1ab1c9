import { childText, readXml, writeXml, type XmlElement, XmlError, type XmlTree } from '../../core/xml.ts';
import { climbsOut } from '../addressing.ts';
import { s3Error } from '../errors.ts';
import { objectArn, type Permission, type S3Operation, type S3Request } from '../operation.ts';
import { bypassActions } from './permission-rules.ts';

/** Multi-delete: authorized key by key, so its row has permissions of its own below. */
export const deleteObjectsOperation: S3Operation = {
  name: 'DeleteObjects',
  method: 'POST',
  scope: 'bucket',
  selectors: ['delete'],
  parameters: [],
  headers: ['x-amz-bypass-governance-retention'],
  body: 'document',
  action: 's3:DeleteObject',
  versionAction: 's3:DeleteObjectVersion',
};

/** One object to delete. */
export interface DeleteEntry {
  readonly key: string;
  readonly versionId?: string;
  readonly eTag?: string;
}

/** The body of DeleteObjects. */
export interface DeleteDocument {
  readonly entries: readonly DeleteEntry[];
  readonly isQuiet: boolean;
}

/** AWS's limits for one DeleteObjects. */
export const maxDeleteBytes: number = 2 * 1024 * 1024;
const maxEntries = 1000;
const maxKeyBytes = 1024;
const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/**
 * Parses a `<Delete>` body strictly: an element this version does not know is refused, because the store might
 * know it. Throws `MalformedXML`.
 */
export function parseDeleteDocument(body: Uint8Array): DeleteDocument {
  const root = readDocument(body);
  const entries: DeleteEntry[] = [];
  let quiet: string | undefined;
  for (const child of root.children) {
    if (child.name === 'Object') entries.push(parseEntry(child));
    else if (child.name === 'Quiet' && quiet === undefined) quiet = child.text.trim().toLowerCase();
    else throw s3Error('MalformedXML');
  }
  if (entries.length === 0 || entries.length > maxEntries) throw s3Error('MalformedXML');
  if (quiet !== undefined && quiet !== 'true' && quiet !== 'false') throw s3Error('MalformedXML');
  return { entries, isQuiet: quiet === 'true' };
}

function readDocument(body: Uint8Array): XmlElement {
  try {
    const root = readXml(body, { maxBytes: maxDeleteBytes, maxDepth: 4 });
    if (root.name === 'Delete') return root;
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  throw s3Error('MalformedXML');
}

const entryElements: ReadonlySet<string> = new Set(['Key', 'VersionId', 'ETag']);

function parseEntry(element: XmlElement): DeleteEntry {
  const names = element.children.map(({ name }) => name);
  const isKnown = names.every((name) => entryElements.has(name)) && new Set(names).size === names.length;
  const isFlat = element.children.every(({ children }) => children.length === 0);
  const key = childText(element, 'Key');
  if (!isKnown || !isFlat || key === undefined || key === '' || key.includes('\0') || climbsOut(key)) {
    throw s3Error('MalformedXML');
  }
  if (Buffer.byteLength(key, 'utf8') > maxKeyBytes) throw s3Error('KeyTooLongError');
  const versionId = childText(element, 'VersionId');
  const eTag = childText(element, 'ETag');
  return {
    key,
    ...(versionId === undefined || versionId === '' ? {} : { versionId }),
    ...(eTag === undefined ? {} : { eTag }),
  };
}

/** Writes the body with only the entries that were allowed. */
export function writeDeleteDocument(document: DeleteDocument): Buffer {
  const content: XmlTree = {
    Object: document.entries.map(({ key, versionId, eTag }) => ({
      Key: key,
      VersionId: versionId,
      ETag: eTag,
    })),
    ...(document.isQuiet ? { Quiet: true } : {}),
  };
  return Buffer.from(writeXml('Delete', content, namespace), 'utf8');
}

/** What one entry needs. */
export function deletePermissions(request: S3Request, entry: DeleteEntry, partition: string): Permission[] {
  const action = entry.versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
  const ifMatch = entry.eTag === undefined || entry.eTag === '*' ? [] : ['s3:GetObject'];
  const resource = objectArn(partition, request.bucket, entry.key);
  return [action, ...bypassActions(request), ...ifMatch].map((name) => ({ action: name, resource }));
}

function deniedElement({ key, versionId }: DeleteEntry): XmlTree {
  return { Key: key, VersionId: versionId, Code: 'AccessDenied', Message: 'Access Denied' };
}

/** The whole answer when no entry was allowed: 200, an `<Error>` for each, and the store is not contacted. */
export function writeDeniedResult(denied: readonly DeleteEntry[]): Buffer {
  return Buffer.from(writeXml('DeleteResult', { Error: denied.map(deniedElement) }, namespace), 'utf8');
}

/**
 * Adds the denied entries to the store's own result. Throws `InternalError` when the store's answer cannot be
 * read: the deletions it made must not be reported as something else.
 */
export function mergeDeleteResult(storeResult: Uint8Array, denied: readonly DeleteEntry[]): Buffer {
  const text = Buffer.from(storeResult).toString('utf8');
  try {
    if (readXml(storeResult, { maxBytes: 4 * maxDeleteBytes, maxDepth: 4 }).name !== 'DeleteResult') {
      throw new XmlError('not a DeleteResult');
    }
  } catch (cause) {
    throw s3Error('InternalError', undefined, {
      cause,
      detail: 'the store answered no readable DeleteResult',
    });
  }
  const errors = writeXml('X', { Error: denied.map(deniedElement) });
  const inner = errors.slice(errors.indexOf('<X>') + 3, errors.lastIndexOf('</X>'));
  const end = text.lastIndexOf('</DeleteResult>');
  return end >= 0
    ? Buffer.from(text.slice(0, end) + inner + text.slice(end), 'utf8')
    : writeDeniedResult(denied);
}
