import { foldCase } from '../core/fold-case.ts';

/** One context key with its value or values. */
export type ContextEntry = readonly [key: string, value: string | readonly string[]];

/** Stands for the values of tags whose keys differ only in case: a policy cannot say which of them it means. */
export const ambiguous: unique symbol = Symbol('ambiguous');

/** The value of a key in a request. A list is never empty. */
export type KeyValue = string | readonly string[] | typeof ambiguous;

/**
 * Condition keys by their names in lower case. Built for every request, so it allocates little. The keys that many decisions
 * have in common are one table, and each decision puts its own few on top.
 */
export class KeyTable {
  readonly #below: KeyTable | undefined;
  readonly #names: readonly string[];
  readonly #values: readonly KeyValue[];
  /** Position of each name; `undefined` when there are few. */
  readonly #positions: ReadonlyMap<string, number> | undefined;

  /**
   * @param below a table whose keys belong to this one too. It is neither copied nor read through: its size costs nothing.
   * @throws TypeError when two keys differ only in case, unless they are tags.
   */
  constructor(entries: Iterable<ContextEntry>, below?: KeyTable) {
    const list = Array.isArray(entries) ? (entries as readonly ContextEntry[]) : [...entries];
    // Allocated at full size: a growing array reserves more than it needs.
    const names = new Array<string>(list.length);
    const values = new Array<KeyValue>(list.length);
    let size = 0;
    for (const entry of list) {
      const value = entry[1];
      if (typeof value === 'object' && value.length === 0) continue;
      names[size] = lowerCaseName(entry[0]);
      values[size] = typeof value === 'object' ? [...value] : value;
      size += 1;
    }
    names.length = size;
    this.#names = names;
    this.#values = values;
    this.#positions = size > maxSearched ? positionsOf(names) : undefined;
    if (this.#positions?.size !== size) settleRepeated(names, values);
    this.#below = below;
    if (below !== undefined) settleWithBelow(names, values, below);
  }

  /** The value of a key given in lower case; never an empty list. */
  get(lowerCaseKey: string): KeyValue | undefined {
    const position =
      this.#positions === undefined
        ? lastPosition(this.#names, lowerCaseKey, this.#names.length)
        : (this.#positions.get(lowerCaseKey) ?? -1);
    return position < 0 ? this.#below?.get(lowerCaseKey) : this.#values[position];
  }
}

/** Up to this many names, a linear search is faster than a Map. */
const maxSearched = 8;

/** The last index of a name before a position, or −1. Lengths are compared first: that is cheap, and most differ. */
function lastPosition(names: readonly string[], wanted: string, before: number): number {
  for (let position = before - 1; position >= 0; position -= 1) {
    const name = names[position] ?? '';
    if (name.length === wanted.length && name === wanted) return position;
  }
  return -1;
}

function positionsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (let position = 0; position < names.length; position += 1)
    positions.set(names[position] ?? '', position);
  return positions;
}

/**
 * Tags may have keys that differ only in case (Amazon S3 user guide, "Categorizing your objects using tags"). Unless their
 * values are equal, the key is ambiguous. Every other key must be given once.
 */
function settleRepeated(names: readonly string[], values: KeyValue[]): void {
  const last = names.length > maxSearched ? new Map<string, number>() : undefined;
  for (let position = 0; position < names.length; position += 1) {
    const name = names[position] ?? '';
    const before = last === undefined ? lastPosition(names, name, position) : (last.get(name) ?? -1);
    last?.set(name, position);
    if (before >= 0) values[position] = settled(name, values[before], values[position]);
  }
}

function settleWithBelow(names: readonly string[], values: KeyValue[], below: KeyTable): void {
  for (let position = 0; position < names.length; position += 1) {
    const name = names[position] ?? '';
    const before = below.get(name);
    if (before !== undefined) values[position] = settled(name, before, values[position]);
  }
}

/** The value of a key that is given twice. */
function settled(name: string, before: KeyValue | undefined, value: KeyValue | undefined): KeyValue {
  if (!name.includes('tag/')) throw new TypeError(`condition key ${name.slice(0, 128)} is given twice`);
  return value !== undefined && isSameText(before, value) ? value : ambiguous;
}

function isSameText(left: KeyValue | undefined, right: KeyValue | undefined): boolean {
  const [one, other] = [left, right].map((value) => (typeof value === 'object' ? value : [value]));
  return one?.length === 1 && other?.length === 1 && one[0] === other[0] && typeof one[0] === 'string';
}

/** Lower-case names by their spelling: the same few dozen names come with every request. */
const lowerCaseNames = new Map<string, string>();

/** Clients choose the names of tag keys, so the cache starts over when it holds this many names. */
const maxRememberedNames = 512;

/** Longer names are chosen by clients and not worth caching. */
const maxRememberedLength = 64;

function lowerCaseName(name: string): string {
  const known = lowerCaseNames.get(name);
  if (known !== undefined) return known;
  // Not `toLowerCase` alone: it would depend on what stands in front of the name.
  const lowerCase = foldCase(name);
  if (name.length <= maxRememberedLength) {
    if (lowerCaseNames.size >= maxRememberedNames) lowerCaseNames.clear();
    lowerCaseNames.set(name, lowerCase);
  }
  return lowerCase;
}
