import type { XmlNode } from './strict-xml.ts';

/** Whether an element has this name in this namespace. */
export function isElement(node: XmlNode, namespace: string, name: string): boolean {
  return node.namespace === namespace && node.name === name;
}

/** The children of that name, in order. */
export function childrenOf(node: XmlNode, namespace: string, name: string): readonly XmlNode[] {
  return node.children.filter((child) => isElement(child, namespace, name));
}

/** The child of that name when there is exactly one; `undefined` for none and for several. */
export function onlyChildOf(node: XmlNode, namespace: string, name: string): XmlNode | undefined {
  const [first, second] = childrenOf(node, namespace, name);
  return second === undefined ? first : undefined;
}

/** The character data of an element that has nothing else inside; `undefined` for one that has. */
export function plainText({ children, text }: XmlNode): string | undefined {
  return children.length === 0 ? text : undefined;
}

/** The element and everything inside it, outermost first. */
export function* allElements(node: XmlNode): Generator<XmlNode> {
  yield node;
  for (const child of node.children) yield* allElements(child);
}
