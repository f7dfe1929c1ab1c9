import { StrictXmlError } from './xml-characters.ts';

/** The prefixes in scope, with their namespaces. The empty prefix stands for the default namespace. */
export type Scope = ReadonlyMap<string, string>;

/** An attribute with its name as written and its value decoded. */
export interface RawAttribute {
  readonly prefix: string;
  readonly local: string;
  readonly value: string;
}

/** Longest namespace, in characters. It becomes part of the name of each attribute in it. */
const maxNamespaceLength = 512;

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const declarationNamespace = 'http://www.w3.org/2000/xmlns/';

/** The prefixes that are declared in every document (Namespaces in XML, section 3). */
export const outermost: Scope = new Map([
  ['', ''],
  ['xml', xmlNamespace],
]);

/** Splits a name at its colon. The prefix is empty when there is none. */
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
 * The scope inside an element, and the prefixes that the element itself declares.
 * @throws StrictXmlError for a forbidden declaration
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
  return { scope, declared };
}

/**
 * The namespace of a prefix.
 * @throws StrictXmlError when the prefix is not declared
 */
export function namespaceOf(prefix: string, scope: Scope): string {
  const namespace = scope.get(prefix);
  if (namespace === undefined) throw new StrictXmlError('a prefix is not declared');
  return namespace;
}

/**
 * The ordinary attributes by name, which is `{namespace}name` for one with a prefix.
 * @throws StrictXmlError for two attributes of the same name
 */
export function resolveAttributes(raw: readonly RawAttribute[], scope: Scope): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const attribute of raw) {
    if (declaredPrefix(attribute) !== undefined) continue;
    const { prefix, local, value } = attribute;
    // The default namespace does not apply to attributes.
    const resolved = prefix === '' ? local : `{${namespaceOf(prefix, scope)}}${local}`;
    if (attributes.has(resolved)) throw new StrictXmlError('an element repeats an attribute');
    attributes.set(resolved, value);
  }
  return attributes;
}
