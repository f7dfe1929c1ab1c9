import { decodeXmlReferences } from '../../core/xml-references.ts';

/** The reason why a document is outside the accepted subset of XML. The message quotes nothing of it. */
export class StrictXmlError extends Error {
  override readonly name = 'StrictXmlError';
}

/** The characters of XML 1.0 (section 2.2) without CR, which callers convert to LF first. */
const plain = /^[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** True when a document consists of characters that XML 1.0 allows, with line ends as LF. */
export function isPlainCharacters(text: string): boolean {
  return plain.test(text);
}

/**
 * Decodes character data.
 * @throws StrictXmlError for a stray `&` or `]]>`
 */
export function readCharacters(raw: string): string {
  if (raw.includes(']]>')) throw new StrictXmlError('it is not well-formed');
  return decodeReferences(raw);
}

/** Decodes an attribute value. White space counts as spaces (section 3.3.3). */
export function readAttributeValue(raw: string): string {
  if (raw.includes('<')) throw new StrictXmlError('it is not well-formed');
  return decodeReferences(raw.replace(/[\t\n]/g, ' '));
}

function decodeReferences(raw: string): string {
  const decoded = decodeXmlReferences(raw);
  if (decoded === undefined) throw new StrictXmlError('entities are not accepted');
  return decoded;
}
