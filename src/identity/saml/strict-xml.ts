import { isPlainCharacters, readAttributeValue, readCharacters, StrictXmlError } from './xml-characters.ts';

export { StrictXmlError } from './xml-characters.ts';

/** One element of a strictly read document. */
export interface XmlNode {
  /** The namespace its prefix stands for; empty for none. */
  readonly namespace: string;
  /** The name without its prefix. */
  readonly name: string;
  /** Values by name; the name of an attribute with a prefix is `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** All character data directly inside, in one piece. */
  readonly text: string;
  /** Where it stands in the source: from its `<` to behind its last `>`. */
  readonly start: number;
  readonly end: number;
  /** Behind the name of its start tag. */
  readonly nameEnd: number;
  /** Every prefix that is declared here or further out, with its namespace; the default one is the empty prefix. */
  readonly scope: ReadonlyMap<string, string>;
  /** The prefixes that this element declares itself. */
  readonly declared: ReadonlySet<string>;
}

/** What is done with comments: a message has no use for them, files written by people do. */
export type CommentRule = 'refused' | 'skipped';

const maxDepth = 32;
/** Elements of a whole document; messages and metadata have about a hundred. */
const maxElements = 2_000;
/** Attributes and namespace declarations of a whole document. */
const maxAttributes = 2_000;
/** Prefixes at any one place: canonicalization looks at all of them for each element. */
const maxPrefixes = 32;

const name = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y;
const space = /[ \t\n]*/y;
const declaration =
  /^<\?xml[ \t\n]+version=(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding=(?:"utf-8"|'utf-8'))?(?:[ \t\n]+standalone=(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/i;

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const declarationNamespace = 'http://www.w3.org/2000/xmlns/';

/**
 * Reads a document of the plain subset of XML 1.0 with namespaces that every parser understands alike: elements,
 * attributes, character data, and references to characters or XML's own five entities. Throws {@link StrictXmlError}
 * for everything else: DOCTYPE, processing instructions, CDATA sections, names beyond ASCII, undeclared prefixes,
 * repeated attributes, text outside the root, and documents that are too deep or have too many elements. Line ends
 * must be LF alone.
 */
export function readStrictXml(source: string, comments: CommentRule): XmlNode {
  return new StrictXmlReader(source, comments).read();
}

const outermost: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['xml', xmlNamespace],
]);

interface RawAttribute {
  readonly prefix: string;
  readonly local: string;
  readonly value: string;
}

class StrictXmlReader {
  readonly #source: string;
  readonly #comments: CommentRule;
  #at = 0;
  #elements = 0;
  #attributeCount = 0;

  constructor(source: string, comments: CommentRule) {
    this.#source = source;
    this.#comments = comments;
  }

  read(): XmlNode {
    if (!isPlainCharacters(this.#source)) throw new StrictXmlError('it holds characters that XML forbids');
    this.#at = declaration.exec(this.#source)?.[0].length ?? 0;
    this.#skipBetween();
    const root = this.#element(outermost, 1);
    this.#skipBetween();
    if (this.#at < this.#source.length) throw new StrictXmlError('something follows the root element');
    return root;
  }

  #skipBetween(): void {
    do this.#match(space);
    while (this.#skipComment());
  }

  #skipComment(): boolean {
    if (!this.#source.startsWith('<!--', this.#at)) return false;
    if (this.#comments === 'refused') throw new StrictXmlError('comments are not accepted');
    const end = this.#source.indexOf('--', this.#at + 4);
    if (end < 0 || this.#source[end + 2] !== '>') throw new StrictXmlError('a comment does not end');
    this.#at = end + 3;
    return true;
  }

  #element(outer: ReadonlyMap<string, string>, depth: number): XmlNode {
    this.#elements += 1;
    if (depth > maxDepth || this.#elements > maxElements) {
      throw new StrictXmlError('it has too many elements or is nested too deeply');
    }
    const start = this.#at;
    this.#expect('<');
    const qualifiedName = this.#match(name);
    if (qualifiedName === '') throw new StrictXmlError('markup other than elements is not accepted');
    const nameEnd = this.#at;
    const raw = this.#attributes();
    const { scope, declared } = declare(raw, outer);
    const [prefix, local] = splitName(qualifiedName);
    const head = {
      namespace: namespaceOf(prefix, scope),
      name: local,
      attributes: resolveAttributes(raw, scope),
      start,
      nameEnd,
      scope,
      declared,
    };
    if (this.#skip('/>')) return { ...head, children: [], text: '', end: this.#at };
    this.#expect('>');
    const { children, text } = this.#content(scope, depth);
    this.#expect(`</${qualifiedName}`);
    this.#match(space);
    this.#expect('>');
    return { ...head, children, text, end: this.#at };
  }

  #content(scope: ReadonlyMap<string, string>, depth: number): { children: XmlNode[]; text: string } {
    const children: XmlNode[] = [];
    let text = '';
    for (;;) {
      const markup = this.#source.indexOf('<', this.#at);
      if (markup < 0) throw new StrictXmlError('an element does not end');
      text += readCharacters(this.#source.slice(this.#at, markup));
      this.#at = markup;
      if (this.#source.startsWith('</', markup)) return { children, text };
      if (!this.#skipComment()) children.push(this.#element(scope, depth + 1));
    }
  }

  #attributes(): RawAttribute[] {
    const attributes: RawAttribute[] = [];
    const seen = new Set<string>();
    for (;;) {
      const gap = this.#match(space);
      const qualifiedName = this.#match(name);
      if (qualifiedName === '') return attributes;
      if (gap === '') throw new StrictXmlError('attributes must be set apart by white space');
      if (seen.has(qualifiedName)) throw new StrictXmlError('an element repeats an attribute');
      seen.add(qualifiedName);
      this.#attributeCount += 1;
      if (this.#attributeCount > maxAttributes) throw new StrictXmlError('it has too many attributes');
      this.#match(space);
      this.#expect('=');
      this.#match(space);
      const [prefix, local] = splitName(qualifiedName);
      attributes.push({ prefix, local, value: this.#attributeValue() });
    }
  }

  #attributeValue(): string {
    const quote = this.#source[this.#at];
    const end = quote === '"' || quote === "'" ? this.#source.indexOf(quote, this.#at + 1) : -1;
    if (end < 0) throw new StrictXmlError('the value of an attribute must stand in quotes');
    const value = readAttributeValue(this.#source.slice(this.#at + 1, end));
    this.#at = end + 1;
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#source) ?? [];
    this.#at += found.length;
    return found;
  }

  #skip(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new StrictXmlError('it is not well-formed');
  }
}

function splitName(qualifiedName: string): [prefix: string, local: string] {
  const colon = qualifiedName.indexOf(':');
  return [qualifiedName.slice(0, Math.max(colon, 0)), qualifiedName.slice(colon + 1)];
}

/** The prefix that an attribute declares; `undefined` for an ordinary attribute. */
function declaredPrefix({ prefix, local }: RawAttribute): string | undefined {
  if (prefix === 'xmlns') return local;
  return prefix === '' && local === 'xmlns' ? '' : undefined;
}

function declare(
  raw: readonly RawAttribute[],
  outer: ReadonlyMap<string, string>,
): Pick<XmlNode, 'scope' | 'declared'> {
  const declared = new Set<string>();
  const scope = new Map(outer);
  for (const attribute of raw) {
    const prefix = declaredPrefix(attribute);
    if (prefix === undefined) continue;
    const { value } = attribute;
    const isReserved = value === xmlNamespace || value === declarationNamespace;
    if (prefix === 'xml' || prefix === 'xmlns' || isReserved || (prefix !== '' && value === '')) {
      throw new StrictXmlError('a namespace declaration is not allowed');
    }
    declared.add(prefix);
    scope.set(prefix, value);
  }
  if (scope.size > maxPrefixes) throw new StrictXmlError('it declares too many prefixes');
  return { scope: declared.size === 0 ? outer : scope, declared };
}

function namespaceOf(prefix: string, scope: ReadonlyMap<string, string>): string {
  const namespace = scope.get(prefix);
  if (namespace === undefined) throw new StrictXmlError('a prefix is not declared');
  return namespace;
}

function resolveAttributes(
  raw: readonly RawAttribute[],
  scope: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const attribute of raw) {
    if (declaredPrefix(attribute) !== undefined) continue;
    const { prefix, local, value } = attribute;
    // The default namespace is not that of attributes.
    const resolved = prefix === '' ? local : `{${namespaceOf(prefix, scope)}}${local}`;
    if (attributes.has(resolved)) throw new StrictXmlError('an element repeats an attribute');
    attributes.set(resolved, value);
  }
  return attributes;
}
