/** One context key with its value or values. */
export type ContextEntry = readonly [key: string, value: string | readonly string[]];

/** Condition keys of one request by their names in lower case. Made for every request, so it allocates little. */
export class KeyTable {
  readonly #names: readonly string[];
  readonly #values: readonly (string | readonly string[])[];
  /** Position of each name, when there are many. */
  readonly #positions: ReadonlyMap<string, number> | undefined;

  /** @throws TypeError when two entries differ only in case. */
  constructor(entries: Iterable<ContextEntry>) {
    const names: string[] = [];
    const values: (string | readonly string[])[] = [];
    for (const entry of entries) {
      const value = entry[1];
      if (typeof value !== 'string' && value.length === 0) continue;
      names.push(lowerCaseName(entry[0]));
      values.push(typeof value === 'string' ? value : [...value]);
    }
    this.#names = names;
    this.#values = values;
    this.#positions = names.length > maxSearched ? positionsOf(names) : undefined;
    checkDistinct(names, this.#positions);
  }

  /** The value of a key given in lower case; never an empty list. */
  get(lowerCaseKey: string): string | readonly string[] | undefined {
    if (this.#positions !== undefined) {
      const position = this.#positions.get(lowerCaseKey);
      return position === undefined ? undefined : this.#values[position];
    }
    const names = this.#names;
    for (let position = 0; position < names.length; position += 1) {
      if (names[position] === lowerCaseKey) return this.#values[position];
    }
    return undefined;
  }

  /** Every key, in lower case, with its value. */
  entries(): ContextEntry[] {
    return this.#names.map((name, position) => [name, this.#values[position] ?? []]);
  }
}

/** So many names are found sooner one after the other than by their hashes. */
const maxSearched = 8;

function positionsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (let position = 0; position < names.length; position += 1)
    positions.set(names[position] ?? '', position);
  return positions;
}

function checkDistinct(names: readonly string[], positions: ReadonlyMap<string, number> | undefined): void {
  if (positions?.size === names.length) return;
  for (let position = 1; position < names.length; position += 1) {
    const name = names[position] ?? '';
    if (names.indexOf(name) === position) continue;
    throw new TypeError(`condition key ${name.slice(0, 128)} is given twice`);
  }
}

/** Names of keys in lower case by their spelling: the same few dozen come with every request. */
const lowerCaseNames = new Map<string, string>();

/** Clients choose the names of some keys (tags): beyond so many names the table starts over. */
const maxRememberedNames = 512;

/** Longer names are client-made; remembering them would cost more than it saves. */
const maxRememberedLength = 64;

function lowerCaseName(name: string): string {
  const known = lowerCaseNames.get(name);
  if (known !== undefined) return known;
  const lowerCase = name.toLowerCase();
  if (name.length <= maxRememberedLength) {
    if (lowerCaseNames.size >= maxRememberedNames) lowerCaseNames.clear();
    lowerCaseNames.set(name, lowerCase);
  }
  return lowerCase;
}
