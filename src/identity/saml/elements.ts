import type { XmlNode } from './strict-xml.ts';

/** True when an element has this name in this namespace. */
export function isElement(node: XmlNode, namespace: string, name: string): boolean {
  return node.namespace === namespace && node.name === name;
}

/** The children with that name, in order. */
export function childrenOf(node: XmlNode, namespace: string, name: string): readonly XmlNode[] {
  return node.children.filter((child) => isElement(child, namespace, name));
}

/** The only child with that name; `undefined` when there is none or more than one. */
export function onlyChildOf(node: XmlNode, namespace: string, name: string): XmlNode | undefined {
  const [first, second] = childrenOf(node, namespace, name);
  return second === undefined ? first : undefined;
}

/** The text of an element without child elements; `undefined` for any other element. */
export function plainText({ children, text }: XmlNode): string | undefined {
  return children.length === 0 ? text : undefined;
}

/** The element and all of its descendants, outermost first. */
export function* allElements(node: XmlNode): Generator<XmlNode> {
  yield node;
  for (const child of node.children) yield* allElements(child);
}
