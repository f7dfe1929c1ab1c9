import {
  declare,
  namespaceOf,
  outermost,
  type RawAttribute,
  resolveAttributes,
  type Scope,
  splitName,
} from './qualified-names.ts';
import { isPlainCharacters, readAttributeValue, readCharacters, StrictXmlError } from './xml-characters.ts';

export { StrictXmlError } from './xml-characters.ts';

/** One element of a strictly read document. */
export interface XmlNode {
  /** The namespace; empty for none. */
  readonly namespace: string;
  /** The name without its prefix. */
  readonly name: string;
  /** Values by name. An attribute with a prefix is named `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** The text directly inside this element, concatenated. */
  readonly text: string;
  /** Its position in the source, from its `<` to after its last `>`. */
  readonly start: number;
  readonly end: number;
  /** Position after the name in its start tag. */
  readonly nameEnd: number;
  /** Every prefix in scope. */
  readonly scope: Scope;
  /** The prefixes that this element itself declares. */
  readonly declared: ReadonlySet<string>;
}

/** The limits for one type of document. */
export interface StrictXmlRules {
  /** Messages need no comments, but hand-written files have them. */
  readonly comments: 'refused' | 'skipped';
  /** Most elements in the document. */
  readonly maxElements: number;
  /** Deepest nesting of elements. */
  readonly maxDepth: number;
  /** Most attributes and namespace declarations in the document. */
  readonly maxAttributes: number;
  /** Most attributes and namespace declarations of one element. For each one, the library looks at all of them. */
  readonly maxAttributesOfElement: number;
  /** Most declarations on an element and those around it, repeated ones too. Canonicalization copies them for each element. */
  readonly maxDeclarations: number;
}

/**
 * Limits for messages, which anyone can send. Around a signature that the provider has made, of public metadata for example, a
 * stranger's message is canonicalized before its digest fails, and the cost of that grows with all of these. Real messages
 * have about a hundred elements, three attributes for each, a depth of eight, and ten declarations.
 */
export const messageRules: StrictXmlRules = {
  comments: 'refused',
  maxElements: 400,
  maxDepth: 16,
  maxAttributes: 1_200,
  maxAttributesOfElement: 24,
  maxDeclarations: 24,
};

/** Limits for metadata, which the operator provides. */
export const metadataRules: StrictXmlRules = {
  comments: 'skipped',
  maxElements: 2_000,
  maxDepth: 32,
  maxAttributes: 2_000,
  maxAttributesOfElement: 64,
  maxDeclarations: 64,
};

const name = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y;
const space = /[ \t\n]*/y;
const declaration =
  /^<\?xml[ \t\n]+version=(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding=(?:"utf-8"|'utf-8'))?(?:[ \t\n]+standalone=(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/i;

/**
 * Reads the subset of XML 1.0 with namespaces that all parsers understand alike: elements, attributes, text, and references to
 * characters or to the five predefined entities. Line ends must be LF alone.
 * @throws StrictXmlError for anything else: DOCTYPE, processing instructions, CDATA sections, names beyond ASCII, undeclared
 * prefixes, repeated attributes, text outside the root, and documents that are too deep or have too many elements
 */
export function readStrictXml(source: string, rules: StrictXmlRules): XmlNode {
  return new StrictXmlReader(source, rules).read();
}

/** Where an element stands: its depth, and the declarations of the elements around it. */
interface Around {
  readonly depth: number;
  readonly declarations: number;
}

class StrictXmlReader {
  readonly #source: string;
  readonly #rules: StrictXmlRules;
  #at = 0;
  #elements = 0;
  #attributeCount = 0;

  constructor(source: string, rules: StrictXmlRules) {
    this.#source = source;
    this.#rules = rules;
  }

  read(): XmlNode {
    if (!isPlainCharacters(this.#source)) throw new StrictXmlError('it holds characters that XML forbids');
    this.#at = declaration.exec(this.#source)?.[0].length ?? 0;
    this.#skipBetween();
    const root = this.#element(outermost, { depth: 1, declarations: 0 });
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
    if (this.#rules.comments === 'refused') throw new StrictXmlError('comments are not accepted');
    const end = this.#source.indexOf('--', this.#at + 4);
    if (end < 0 || this.#source[end + 2] !== '>') throw new StrictXmlError('a comment does not end');
    this.#at = end + 3;
    return true;
  }

  #element(outer: Scope, { depth, declarations }: Around): XmlNode {
    this.#elements += 1;
    if (depth > this.#rules.maxDepth || this.#elements > this.#rules.maxElements) {
      throw new StrictXmlError('it has too many elements or is nested too deeply');
    }
    const start = this.#at;
    this.#expect('<');
    const qualifiedName = this.#match(name);
    if (qualifiedName === '') throw new StrictXmlError('markup other than elements is not accepted');
    const nameEnd = this.#at;
    const raw = this.#attributes();
    const { scope, declared } = declare(raw, outer);
    const inner = { depth: depth + 1, declarations: declarations + declared.size };
    if (inner.declarations > this.#rules.maxDeclarations) {
      throw new StrictXmlError('it declares too many prefixes');
    }
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
    const { children, text } = this.#content(scope, inner);
    this.#expect(`</${qualifiedName}`);
    this.#match(space);
    this.#expect('>');
    return { ...head, children, text, end: this.#at };
  }

  #content(scope: Scope, inner: Around): { children: XmlNode[]; text: string } {
    const children: XmlNode[] = [];
    let text = '';
    for (;;) {
      const markup = this.#source.indexOf('<', this.#at);
      if (markup < 0) throw new StrictXmlError('an element does not end');
      text += readCharacters(this.#source.slice(this.#at, markup));
      this.#at = markup;
      if (this.#source.startsWith('</', markup)) return { children, text };
      if (!this.#skipComment()) children.push(this.#element(scope, inner));
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
      if (
        this.#attributeCount > this.#rules.maxAttributes ||
        seen.size > this.#rules.maxAttributesOfElement
      ) {
        throw new StrictXmlError('it has too many attributes');
      }
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
