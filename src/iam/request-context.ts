/** One context key with its value or values. */
export type ContextEntry = readonly [key: string, value: string | readonly string[]];

/**
 * The condition keys of one request: key names ignore case, an empty string is a value, an empty list is absence.
 * Immutable. Keys that exist only in the store are *lazy*: the engine does not take them for absent but answers
 * `needs`, and asks again with the context that {@link RequestContext.withLookedUp} returns.
 */
export class RequestContext {
  readonly #list: () => Iterable<ContextEntry>;
  #values: ReadonlyMap<string, readonly string[]> | undefined;
  readonly #lazyKeys: readonly string[];

  /**
   * @param entries key and value pairs of any case, or a function that lists them when a policy first asks.
   * @param lazyKeys names, or prefixes that end in `/` (`s3:ExistingObjectTag/`), whose values must be looked up.
   * @throws TypeError when two entries differ only in case: whichever was kept, a policy could be misled. A function's
   *   entries are read, and refused, in the decision that asks first.
   */
  constructor(
    entries: Iterable<ContextEntry> | (() => Iterable<ContextEntry>) = [],
    lazyKeys: readonly string[] = [],
  ) {
    if (typeof entries === 'function') this.#list = entries;
    else {
      this.#list = () => entries;
      this.#values = indexEntries(entries);
    }
    this.#lazyKeys = lazyKeys;
  }

  #known(): ReadonlyMap<string, readonly string[]> {
    this.#values ??= indexEntries(this.#list());
    return this.#values;
  }

  /** Values of a key given in lower case; `undefined` when absent. Never an empty list. */
  values(lowerCaseKey: string): readonly string[] | undefined {
    return this.#known().get(lowerCaseKey);
  }

  /** True when the value of a key given in lower case is not known before a look-up. */
  isLazy(lowerCaseKey: string): boolean {
    if (this.#lazyKeys.length === 0 || this.#known().has(lowerCaseKey)) return false;
    return this.#lazyKeys.some((key) => {
      const lazy = key.toLowerCase();
      return lazy.endsWith('/') ? lowerCaseKey.startsWith(lazy) : lowerCaseKey === lazy;
    });
  }

  /** A context with further keys; a key that exists already is replaced. */
  with(entries: Iterable<ContextEntry>): RequestContext {
    return this.#overlay(entries, this.#lazyKeys);
  }

  /** The context after a look-up: `lazyKey` stops being lazy, and keys under it that were not found are absent. */
  withLookedUp(lazyKey: string, entries: Iterable<ContextEntry>): RequestContext {
    const resolved = lazyKey.toLowerCase();
    return this.#overlay(
      entries,
      this.#lazyKeys.filter((lazy) => lazy.toLowerCase() !== resolved),
    );
  }

  #overlay(entries: Iterable<ContextEntry>, lazyKeys: readonly string[]): RequestContext {
    const added = [...entries];
    const replaced = new Set(added.map(([key]) => key.toLowerCase()));
    const kept = [...this.#known()].filter(([key]) => !replaced.has(key));
    return new RequestContext([...kept, ...added], lazyKeys);
  }
}

function indexEntries(entries: Iterable<ContextEntry>): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  for (const [key, value] of entries) {
    const list = typeof value === 'string' ? [value] : [...value];
    if (list.length === 0) continue;
    const name = key.toLowerCase();
    if (values.has(name)) throw new TypeError(`condition key ${name.slice(0, 128)} is given twice`);
    values.set(name, list);
  }
  return values;
}
