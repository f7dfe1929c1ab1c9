import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { decodeUtf8 } from './bytes.ts';

/** One element of a read document. Attributes are not kept: no protocol here reads any. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** All character data directly inside, CDATA included, entities decoded, white space untouched. */
  readonly text: string;
}

/** Hard limits of {@link readXml}. */
export interface XmlLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** Tags, comments and the like, counted before anything is parsed: their number is what parsing costs. */
  readonly maxTags?: number;
}

/** Why a document was refused. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const textKey = '#text';
const cdataKey = '#cdata';
const commentKey = '#comment';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  processEntities: false,
  trimValues: false,
  parseTagValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: cdataKey,
  commentPropName: commentKey,
});

/**
 * Reads one small XML document into plain elements. Refuses (with {@link XmlError}) what is oversize, too deep,
 * not UTF-8, not well-formed, has more than one root, a DOCTYPE, or an entity other than XML's own five and
 * character references.
 */
export function readXml(bytes: Uint8Array, limits: XmlLimits): XmlElement {
  if (bytes.length > limits.maxBytes) throw new XmlError('document is too large');
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new XmlError('document is not UTF-8');
  if (limits.maxTags !== undefined) checkTags(text, limits.maxTags);
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY')) throw new XmlError('DOCTYPE is not accepted');
  const document = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (XMLValidator.validate(document) !== true) throw new XmlError('document is not well-formed');
  const nodes = parse(document);
  const elements = nodes.filter((node) => elementName(node) !== undefined);
  const root = elements[0];
  if (root === undefined || elements.length > 1)
    throw new XmlError('document needs exactly one root element');
  return toElement(root, 1, limits.maxDepth);
}

const maxTagLength = 4096;

function checkTags(text: string, maxTags: number): void {
  let tags = 0;
  for (let from = text.indexOf('<'); from >= 0; from = text.indexOf('<', from + 1)) {
    tags += 1;
    if (tags > maxTags) throw new XmlError('document has too many elements');
    // Attributes cost as much as elements, and no document needs more than a namespace or two.
    const end = text.indexOf('>', from);
    if (end - from > maxTagLength) throw new XmlError('document has a tag that is too long');
  }
}

function parse(document: string): Record<string, unknown>[] {
  try {
    return nodeList(parser.parse(document));
  } catch (cause) {
    throw new XmlError('document is not well-formed', { cause });
  }
}

function nodeList(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((node) => typeof node === 'object' && node !== null) : [];
}

function elementName(node: Record<string, unknown>): string | undefined {
  return Object.keys(node).find((name) => name !== textKey && name !== cdataKey && name !== commentKey);
}

function toElement(node: Record<string, unknown>, depth: number, maxDepth: number): XmlElement {
  if (depth > maxDepth) throw new XmlError('document is nested too deeply');
  const name = elementName(node) ?? '';
  const children: XmlElement[] = [];
  let text = '';
  for (const child of nodeList(node[name])) {
    if (elementName(child) !== undefined) children.push(toElement(child, depth + 1, maxDepth));
    else if (textKey in child) text += decodeEntities(String(child[textKey]));
    else if (cdataKey in child) {
      for (const part of nodeList(child[cdataKey])) text += String(part[textKey]);
    }
  }
  // Written out again such a character would become another one, so a key that holds it cannot be trusted.
  if (forbidden.test(text)) throw new XmlError('document holds a character that XML 1.0 forbids');
  return { name, children, text };
}

const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;
const forbiddenEverywhere = new RegExp(forbidden, 'gu');

const namedEntities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decodeEntities(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(/&([^;&]{0,10};?)/g, (_, body: string) => {
    const name = body.endsWith(';') ? body.slice(0, -1) : '';
    const decoded = namedEntities.get(name) ?? decodeCharacterReference(name);
    if (decoded === undefined) throw new XmlError('unknown entity');
    return decoded;
  });
}

function decodeCharacterReference(name: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (match === null) return undefined;
  const codePoint =
    match[1] === undefined ? Number.parseInt(match[2] ?? '', 10) : Number.parseInt(match[1], 16);
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (codePoint === 0 || codePoint > 0x10ffff || isSurrogate) return undefined;
  return String.fromCodePoint(codePoint);
}

/** The first child of that name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The text of the first child of that name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return childOf(element, name)?.text;
}

/**
 * Content of an element to write: text, nested elements, or nothing. `undefined` members of an object are left
 * out; an array repeats its element.
 */
export type XmlContent = string | number | boolean | XmlTree;
export interface XmlTree {
  readonly [name: string]: XmlContent | readonly XmlContent[] | undefined;
}

/** Writes a document with its declaration; `namespace` becomes the root's `xmlns`. */
export function writeXml(root: string, content: XmlContent, namespace?: string): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${escapeXml(namespace)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${writeContent(content)}</${root}>`;
}

function writeContent(content: XmlContent): string {
  if (typeof content !== 'object') return escapeXml(String(content));
  let written = '';
  for (const [name, value] of Object.entries(content)) {
    if (value === undefined) continue;
    for (const item of isList(value) ? value : [value]) written += `<${name}>${writeContent(item)}</${name}>`;
  }
  return written;
}

function isList(value: XmlContent | readonly XmlContent[]): value is readonly XmlContent[] {
  return Array.isArray(value);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ['\r', '&#13;'],
]);

/** Escapes markup; characters that XML 1.0 cannot carry become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replace(forbiddenEverywhere, '\ufffd')
    .replace(/[&<>"\r]/g, (character) => escapes.get(character) ?? character);
}
