import { foldCase } from '../core/fold-case.ts';
import { type ContextEntry, KeyTable, type KeyValue } from './key-table.ts';

export type { ContextEntry } from './key-table.ts';

/**
 * The condition keys of one request. Names ignore case; an empty string is a value, an empty list means absent. Immutable.
 * Keys that only the store knows are *lazy*: the engine does not treat them as absent but answers `needs`. After a look-up
 * the decision is made again with the context that {@link RequestContext.withLookedUp} returns.
 */
export class RequestContext {
  /** Lists the entries when a policy first needs one; `undefined` when they were given as a list. */
  readonly #list: (() => Iterable<ContextEntry> | KeyTable) | undefined;
  #table: KeyTable | undefined;
  readonly #lazyKeys: readonly string[];
  /** The context before the first look-up. */
  #before: RequestContext | undefined;
  /** The context whose keys these replace. */
  #replaced: RequestContext | undefined;

  /**
   * @param entries pairs of key and value, or a function that lists them when a policy first needs one.
   * @param lazyKeys names, or prefixes that end in `/` (`s3:ExistingObjectTag/`), whose values must be looked up.
   * @throws TypeError when two entries that are not tags differ only in case. The entries of a function are checked in the
   *   first decision that reads them.
   */
  constructor(
    entries: Iterable<ContextEntry> | (() => Iterable<ContextEntry> | KeyTable) = [],
    lazyKeys: readonly string[] = [],
  ) {
    if (typeof entries === 'function') this.#list = entries;
    else {
      this.#table = new KeyTable(entries);
    }
    this.#lazyKeys = lazyKeys;
  }

  #known(): KeyTable {
    this.#table ??= tableOf(this.#list?.() ?? []);
    return this.#table;
  }

  /** The value or values of a key given in lower case; `undefined` when absent. Never an empty list. */
  value(lowerCaseKey: string): KeyValue | undefined {
    const value = this.#known().get(lowerCaseKey);
    return value === undefined && this.#replaced !== undefined ? this.#replaced.value(lowerCaseKey) : value;
  }

  /** True when a key given in lower case has to be looked up first. */
  isLazy(lowerCaseKey: string): boolean {
    if (this.#lazyKeys.length === 0 || this.value(lowerCaseKey) !== undefined) return false;
    return this.#lazyKeys.some((key) => isUnder(foldCase(key), lowerCaseKey));
  }

  /** The context as it was before any look-up, for what a caller is told: it need not be allowed to read what was looked up. */
  withoutLookUps(): RequestContext {
    return this.#before ?? this;
  }

  /** A context with further keys; a key that exists already is replaced. */
  with(entries: Iterable<ContextEntry>): RequestContext {
    const context = this.#overlay(entries, this.#lazyKeys);
    context.#before = this.#before?.with(entries);
    return context;
  }

  /**
   * The context after a look-up: `lazyKey` stops being lazy, and keys under it that were not found are absent.
   * @param found a table can be shared by the contexts of many decisions.
   */
  withLookedUp(lazyKey: string, found: Iterable<ContextEntry> | KeyTable): RequestContext {
    const resolved = foldCase(lazyKey);
    const context = this.#overlay(
      found,
      this.#lazyKeys.filter((lazy) => foldCase(lazy) !== resolved),
    );
    const before = this.#before ?? this;
    const isLazy = before.#lazyKeys.some((lazy) => foldCase(lazy) === resolved);
    context.#before = isLazy ? before : before.#overlay([], [...before.#lazyKeys, lazyKey]);
    return context;
  }

  #overlay(entries: Iterable<ContextEntry> | KeyTable, lazyKeys: readonly string[]): RequestContext {
    const table = tableOf(entries);
    const context = new RequestContext(() => table, lazyKeys);
    context.#replaced = this;
    return context;
  }
}

function isUnder(key: string, lowerCaseKey: string): boolean {
  return key.endsWith('/') ? lowerCaseKey.startsWith(key) : lowerCaseKey === key;
}

function tableOf(entries: Iterable<ContextEntry> | KeyTable): KeyTable {
  return entries instanceof KeyTable ? entries : new KeyTable(entries);
}
