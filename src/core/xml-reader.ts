import { decodeUtf8 } from './bytes.ts';
import { decodeXmlReferences } from './xml-references.ts';

/** One element of a read document. Attributes are not kept: no protocol here reads any. */
export interface XmlElement {
  /** As written, with its prefix. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** All character data directly inside, CDATA included, references decoded, white space untouched. */
  readonly text: string;
}

/** Hard limits of {@link readXml}. */
export interface XmlLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** Tags, comments, sections, attributes and references together: their number is what reading costs. 120,000 when absent. */
  readonly maxMarkup?: number;
}

/** Why a document was refused. The message quotes nothing of it. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

/** A list of 10,000 buckets with every element that AWS knows. */
const defaultMaxMarkup = 120_000;

/** Each costs several times what a tag does. An assertion of SAML has some for each value. */
const maxAttributes = 10_000;

const name = /[A-Za-z_:][\w:.-]*/y;
const space = /[ \t\n]*/y;
const declaration =
  /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"(?:utf-8|us-ascii)"|'(?:utf-8|us-ascii)'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/iy;

// Decoded UTF-8 has no half of a surrogate pair.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/**
 * Reads one small XML 1.0 document into plain elements, in one pass: the steps grow with its length and no part is
 * looked at again. Comments and processing instructions are skipped.
 * @throws XmlError for what is oversize, too deep, not UTF-8, not well-formed, has more than one root, a DOCTYPE, a
 * name beyond ASCII, or an entity other than XML's own five and character references.
 */
export function readXml(bytes: Uint8Array, limits: XmlLimits): XmlElement {
  if (bytes.length > limits.maxBytes) throw new XmlError('document is too large');
  const text = decodeUtf8(normalizeLineEnds(bytes));
  if (text === undefined) throw new XmlError('document is not UTF-8');
  // Written out again such a character would become another one, so a key that holds it cannot be trusted.
  if (forbidden.test(text)) throw new XmlError('document holds a character that XML 1.0 forbids');
  const document = text.startsWith('\ufeff') ? text.slice(1) : text;
  return new XmlReader(document, limits).read();
}

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** Turns every line end into LF (XML 1.0, section 2.11). Among bytes this costs a fraction of what it does in a string. */
function normalizeLineEnds(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(carriageReturn)) return bytes;
  const normalized = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte !== carriageReturn) normalized[length++] = byte;
    else if (bytes[at + 1] !== lineFeed) normalized[length++] = lineFeed;
  }
  return normalized.subarray(0, length);
}

class XmlReader {
  readonly #source: string;
  readonly #maxDepth: number;
  #at = 0;
  #markupLeft: number;
  #attributesLeft = maxAttributes;

  constructor(source: string, { maxDepth, maxMarkup = defaultMaxMarkup }: XmlLimits) {
    this.#source = source;
    this.#maxDepth = maxDepth;
    this.#markupLeft = maxMarkup;
  }

  read(): XmlElement {
    this.#match(declaration);
    this.#skipBetween();
    const root = this.#element(1);
    this.#skipBetween();
    if (this.#at < this.#source.length) throw new XmlError('something follows the root element');
    return root;
  }

  /** INVARIANT: every search below either finds what it looks for and goes on behind it, or ends the reading. */
  #skipBetween(): void {
    do this.#match(space);
    while (this.#skipComment() || this.#skipInstruction());
  }

  #element(depth: number): XmlElement {
    if (depth > this.#maxDepth) throw new XmlError('document is nested too deeply');
    this.#expect('<');
    this.#countMarkup();
    const elementName = this.#match(name);
    if (elementName === '') throw new XmlError('document holds markup that is not accepted');
    this.#skipAttributes();
    if (this.#skip('/>')) return { name: elementName, children: [], text: '' };
    this.#expect('>');
    const content = this.#content(depth);
    this.#countMarkup();
    this.#expect('</');
    this.#expect(elementName);
    this.#match(space);
    this.#expect('>');
    return { name: elementName, ...content };
  }

  #content(depth: number): { children: XmlElement[]; text: string } {
    const children: XmlElement[] = [];
    let text = '';
    for (;;) {
      const markup = this.#find('<', this.#at);
      if (markup > this.#at) text += this.#characters(markup);
      this.#at = markup;
      const next = this.#source[markup + 1];
      if (next === '/') return { children, text };
      if (next === '!') {
        if (!this.#skipComment()) text += this.#section();
      } else if (next !== '?' || !this.#skipInstruction()) {
        children.push(this.#element(depth + 1));
      }
    }
  }

  #characters(end: number): string {
    const raw = this.#source.slice(this.#at, end);
    if (raw.includes(']]>')) throw new XmlError('document is not well-formed');
    return this.#decode(raw);
  }

  #section(): string {
    this.#expect('<![CDATA[');
    this.#countMarkup();
    const end = this.#find(']]>', this.#at);
    const text = this.#source.slice(this.#at, end);
    this.#at = end + 3;
    return text;
  }

  #skipComment(): boolean {
    if (!this.#skip('<!--')) return false;
    this.#countMarkup();
    this.#at = this.#find('--', this.#at);
    this.#expect('-->');
    return true;
  }

  #skipInstruction(): boolean {
    if (!this.#skip('<?')) return false;
    this.#countMarkup();
    const target = this.#match(name);
    if (target === '' || target.toLowerCase() === 'xml') throw new XmlError('document is not well-formed');
    this.#at = this.#find('?>', this.#at) + 2;
    return true;
  }

  #skipAttributes(): void {
    let seen: Set<string> | undefined;
    for (;;) {
      const gap = this.#match(space);
      const attribute = this.#match(name);
      if (attribute === '') return;
      this.#countMarkup();
      this.#attributesLeft -= 1;
      if (this.#attributesLeft < 0) throw new XmlError('document has too many attributes');
      seen ??= new Set();
      if (gap === '' || seen.has(attribute)) throw new XmlError('document is not well-formed');
      seen.add(attribute);
      this.#match(space);
      this.#expect('=');
      this.#match(space);
      this.#skipAttributeValue();
    }
  }

  #skipAttributeValue(): void {
    const quote = this.#source[this.#at];
    if (quote !== '"' && quote !== "'") throw new XmlError('document is not well-formed');
    const end = this.#find(quote, this.#at + 1);
    const value = this.#source.slice(this.#at + 1, end);
    if (value.includes('<')) throw new XmlError('document is not well-formed');
    this.#decode(value);
    this.#at = end + 1;
  }

  #decode(raw: string): string {
    const decoded = decodeXmlReferences(raw, this.#countMarkup);
    if (decoded === undefined) throw new XmlError('document has an entity that is not accepted');
    return decoded;
  }

  readonly #countMarkup = (): void => {
    this.#markupLeft -= 1;
    if (this.#markupLeft < 0) throw new XmlError('document has too much markup');
  };

  #find(text: string, from: number): number {
    const found = this.#source.indexOf(text, from);
    if (found < 0) throw new XmlError('document is not well-formed');
    return found;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const start = this.#at;
    if (pattern.test(this.#source)) this.#at = pattern.lastIndex;
    return this.#source.slice(start, this.#at);
  }

  #skip(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new XmlError('document is not well-formed');
  }
}
