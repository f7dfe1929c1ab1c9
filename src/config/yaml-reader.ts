import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import { faultMessages, maxDepth, type YamlFault } from './yaml-faults.ts';

/** Most values in one document, counted again for each alias: ten aliases on ten levels would make 10^10 values. */
const maxValues = 1_000_000;

/** Turns YAML nodes into plain values and remembers what each alias stood for. */
export class YamlReader {
  readonly faults: YamlFault[] = [];
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new Map<Alias, Node>();
  #values = 0;
  #openAliases = 0;

  /** The node an alias repeats. */
  targetOf(alias: Alias): Node | undefined {
    return this.#targets.get(alias);
  }

  /** The value of a node; what cannot be read becomes null and a fault. */
  read(node: Node | null | undefined, depth = 0): unknown {
    this.#values += 1;
    if (this.#values > maxValues) {
      if (this.#values === maxValues + 1) this.#report(node, `the file holds more than ${maxValues} values`);
      return null;
    }
    if (depth > maxDepth) {
      this.#report(node, 'nested too deeply');
      return null;
    }
    const value = this.#readKind(node, depth);
    // Only now, so that an alias inside its own anchor finds nothing. Values that an alias repeats are not anchored again.
    if (!isAlias(node) && node?.anchor !== undefined && this.#openAliases === 0)
      this.#anchors.set(node.anchor, node);
    return value;
  }

  #readKind(node: Node | null | undefined, depth: number): unknown {
    if (isAlias(node)) return this.#readAlias(node, depth);
    if (isSeq<Node>(node)) return node.items.map((item) => this.read(item, depth + 1));
    if (isMap<Node, Node | null>(node)) return this.#readMap(node, depth);
    return isScalar(node) ? readScalar(node) : null;
  }

  #readAlias(alias: Alias, depth: number): unknown {
    const target = this.#targets.get(alias) ?? this.#anchors.get(alias.source);
    if (target === undefined) {
      this.#report(alias, 'the alias names no anchor before it');
      return null;
    }
    this.#targets.set(alias, target);
    this.#openAliases += 1;
    const value = this.read(target, depth + 1);
    this.#openAliases -= 1;
    return value;
  }

  #readMap(map: YAMLMap<Node, Node | null>, depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = Object.create(null);
    for (const { key, value } of map.items) {
      if (!isScalar(key) || typeof key.value !== 'string') continue;
      if (key.value === '__proto__') this.#report(key, 'the key __proto__ is not allowed');
      // The first of repeated keys counts: it is also where problems are reported.
      else if (!(key.value in result)) result[key.value] = this.read(value, depth + 1);
      else if (this.#openAliases === 0) this.#report(key, faultMessages.DUPLICATE_KEY);
    }
    return result;
  }

  #report(node: Node | null | undefined, message: string): void {
    this.faults.push({ offset: node?.range?.[0] ?? 0, message });
  }
}

/**
 * A number or boolean whose text is not the canonical one stays text: `012345678901` unquoted in a policy means those
 * twelve digits, not the number 12345678901.
 */
function readScalar({ value, source }: Scalar): unknown {
  if (typeof value !== 'number' && typeof value !== 'boolean') return value;
  return source === undefined || source === String(value) ? value : source;
}
