import { StrictXmlError } from './xml-characters.ts';

/** The prefixes that may be used at a place, with their namespaces; the default namespace is that of the empty prefix. */
export type Scope = ReadonlyMap<string, string>;

/** An attribute as written, its value decoded. */
export interface RawAttribute {
  readonly prefix: string;
  readonly local: string;
  readonly value: string;
}

/** Prefixes at any one place: canonicalization looks at all of them for each element. */
const maxPrefixes = 32;
/** Characters of a namespace: it stands in the name of each attribute that is in it. */
const maxNamespaceLength = 512;

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const declarationNamespace = 'http://www.w3.org/2000/xmlns/';

/** What is declared around every document (Namespaces in XML, section 3). */
export const outermost: Scope = new Map([
  ['', ''],
  ['xml', xmlNamespace],
]);

/** Takes a name apart at its colon; the prefix is empty when there is none. */
export function splitName(qualifiedName: string): [prefix: string, local: string] {
  const colon = qualifiedName.indexOf(':');
  return [qualifiedName.slice(0, Math.max(colon, 0)), qualifiedName.slice(colon + 1)];
}

/** The prefix that an attribute declares; `undefined` for an ordinary attribute. */
function declaredPrefix({ prefix, local }: RawAttribute): string | undefined {
  if (prefix === 'xmlns') return local;
  return prefix === '' && local === 'xmlns' ? '' : undefined;
}

/**
 * The scope inside an element, and the prefixes that it declares itself. Throws {@link StrictXmlError} for a declaration
 * that is not allowed and for too many of them.
 */
export function declare(
  raw: readonly RawAttribute[],
  outer: Scope,
): { readonly scope: Scope; readonly declared: ReadonlySet<string> } {
  const declared = new Set<string>();
  if (raw.every((attribute) => declaredPrefix(attribute) === undefined)) return { scope: outer, declared };
  const scope = new Map(outer);
  for (const attribute of raw) {
    const prefix = declaredPrefix(attribute);
    if (prefix === undefined) continue;
    const { value } = attribute;
    const isReserved = value === xmlNamespace || value === declarationNamespace;
    if (prefix === 'xml' || prefix === 'xmlns' || isReserved || (prefix !== '' && value === '')) {
      throw new StrictXmlError('a namespace declaration is not allowed');
    }
    if (value.length > maxNamespaceLength) throw new StrictXmlError('a namespace is too long');
    declared.add(prefix);
    scope.set(prefix, value);
  }
  if (scope.size > maxPrefixes) throw new StrictXmlError('it declares too many prefixes');
  return { scope, declared };
}

/** The namespace of a prefix. Throws {@link StrictXmlError} when it is not declared. */
export function namespaceOf(prefix: string, scope: Scope): string {
  const namespace = scope.get(prefix);
  if (namespace === undefined) throw new StrictXmlError('a prefix is not declared');
  return namespace;
}

/**
 * The attributes that are no declarations, by name; one with a prefix is named `{namespace}name`. Throws
 * {@link StrictXmlError} for two of one name.
 */
export function resolveAttributes(raw: readonly RawAttribute[], scope: Scope): ReadonlyMap<string, string> {
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
