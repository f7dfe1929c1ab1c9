import type { XmlElement } from './xml-reader.ts';

export { readXml, type XmlElement, XmlError, type XmlLimits } from './xml-reader.ts';

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

const markup: readonly (readonly [character: string, reference: string])[] = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ['\r', '&#13;'],
];
const plain = /^[\t\n !#-%'-;=?-\ud7ff\ue000-\ufffd]*$/;
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Escapes markup; characters that XML 1.0 cannot carry become U+FFFD. */
export function escapeXml(text: string): string {
  if (plain.test(text)) return text;
  let escaped = text.toWellFormed().replace(forbidden, '\ufffd');
  // `&` comes first. A pass for each takes a fraction of the time of one expression for all.
  for (const [character, reference] of markup) escaped = escaped.replaceAll(character, reference);
  return escaped;
}
