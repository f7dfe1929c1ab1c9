import { readXml, writeXml, type XmlElement, XmlError, type XmlTree } from '../core/xml.ts';
import { s3Error } from './errors.ts';

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A thousand rules or entries of the longest kind, with some ninety references in each key. */
const maxMarkup = 100_000;

/** What a document must be. */
export interface DocumentShape {
  readonly root: string;
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/**
 * Reads a document with that root.
 * @throws `MalformedXML`
 */
export function readDocument(body: Uint8Array, { root, maxBytes, maxDepth }: DocumentShape): XmlElement {
  try {
    const element = readXml(body, { maxBytes, maxDepth, maxMarkup });
    if (element.name === root) return element;
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  throw malformed();
}

/** The error for anything unexpected in a document. */
export function malformed(): Error {
  return s3Error('MalformedXML');
}

/**
 * The children of an element by name. What is not named here, what is repeated, and text beside elements is refused: a
 * store might understand it, or understand the other one.
 * @throws `MalformedXML`
 */
export function uniqueChildren(
  element: XmlElement,
  known: ReadonlySet<string>,
): ReadonlyMap<string, XmlElement> {
  const found = new Map<string, XmlElement>();
  for (const child of element.children) {
    if (!known.has(child.name) || found.has(child.name)) throw malformed();
    found.set(child.name, child);
  }
  if (element.text.trim() !== '') throw malformed();
  return found;
}

/** The text of an element without children, white space included; `undefined` when there is no element. */
export function leafText(element: XmlElement | undefined): string | undefined {
  if (element !== undefined && element.children.length > 0) throw malformed();
  return element?.text;
}

/** Writes a document with the S3 namespace. */
export function writeDocument(root: string, content: XmlTree): Buffer {
  return Buffer.from(writeXml(root, content, namespace), 'utf8');
}

/** What a document may say more than once; of everything else a store would have to choose one. */
const lists: ReadonlySet<string> = new Set([
  'CloudFunctionConfiguration',
  'Event',
  'Field',
  'FilterRule',
  'QueueConfiguration',
  'Rule',
  'Tag',
  'TopicConfiguration',
]);

/**
 * Writes an element as it was understood: without comments, attributes and namespaces, elements of one name together.
 * @throws `MalformedXML` for text beside elements and for repeated elements that are no list
 */
export function rewriteElement(element: XmlElement): Buffer {
  return writeDocument(element.name, toTree(element));
}

function toTree(element: XmlElement): XmlTree {
  if (element.text.trim() !== '') throw malformed();
  const byName = new Map<string, (XmlTree | string)[]>();
  for (const child of element.children) {
    const content = child.children.length === 0 ? child.text : toTree(child);
    const together = byName.get(child.name);
    if (together === undefined) byName.set(child.name, [content]);
    else if (lists.has(child.name)) together.push(content);
    else throw malformed();
  }
  return Object.fromEntries(byName);
}
