import { setMaxListeners } from 'node:events';
import type { WaitingClient } from '../core/client-gone.ts';
import { type ContextEntry, KeyTable } from '../iam/key-table.ts';
import type { Permission } from '../s3/operation.ts';
import { placeOf, subjectOf } from './store-keys.ts';
import { lookUpTags, type StoreLookup, type StoreTag } from './store-lookup.ts';

const untraced: readonly string[] = [];

/** The tags that were looked up for one request. */
export class LookedUpTags {
  readonly #lookup: StoreLookup;
  // Most requests look nothing up.
  #asked: Map<string, Promise<readonly StoreTag[] | undefined>> | undefined;
  #known: Map<string, readonly StoreTag[]> | undefined;
  /** By prefix, for the decisions that follow: those of a batch are about the same bucket. */
  #lastTables: Map<string, { readonly tags: readonly StoreTag[]; readonly table: KeyTable }> | undefined;
  readonly #owner: string;
  readonly #client: WaitingClient;
  readonly #traceHeaders: readonly string[];
  #gone: AbortController | undefined;

  /**
   * @param owner the ARN of the principal that look-ups are for
   * @param client look-ups end when it leaves
   * @param traceHeaders see {@link LookupAsker}
   */
  constructor(
    lookup: StoreLookup,
    owner: string,
    client: WaitingClient,
    traceHeaders: readonly string[] = untraced,
  ) {
    this.#lookup = lookup;
    this.#owner = owner;
    this.#client = client;
    this.#traceHeaders = traceHeaders;
  }

  /**
   * Forgets all tags. They can have a hundred kilobytes: the bucket's owner chooses how many. The request can last as long as
   * its client likes.
   */
  forget(): void {
    this.#asked = undefined;
    this.#known = undefined;
    this.#lastTables = undefined;
    if (this.#gone !== undefined) this.#client.off('close', this.#onGone);
    this.#gone = undefined;
  }

  /** The context keys with that prefix, if the tags have been looked up. */
  known(prefix: string, permission: Permission): KeyTable | undefined {
    const subject = subjectOf(prefix, permission);
    const tags = subject && this.#known?.get(placeOf(subject));
    if (tags === undefined) return undefined;
    this.#lastTables ??= new Map();
    const last = this.#lastTables.get(prefix);
    if (last?.tags === tags) return last.table;
    const table = new KeyTable(tags.map(([key, value]): ContextEntry => [prefix + key, value]));
    this.#lastTables.set(prefix, { tags, table });
    return table;
  }

  /**
   * Looks up the tags; `undefined` when the store does not say. The entries of a multi-delete are decided concurrently and
   * share each look-up.
   * @throws when the store cannot be asked.
   */
  async of(prefix: string, permission: Permission): Promise<readonly StoreTag[] | undefined> {
    const subject = subjectOf(prefix, permission);
    if (subject === undefined) return undefined;
    const place = placeOf(subject);
    this.#asked ??= new Map();
    let asked = this.#asked.get(place);
    if (asked === undefined) {
      const asker = { owner: this.#owner, signal: this.#signal(), traceHeaders: this.#traceHeaders };
      asked = lookUpTags(this.#lookup, subject, asker);
      this.#asked.set(place, asked);
    }
    const tags = await asked;
    if (tags !== undefined) {
      this.#known ??= new Map();
      this.#known.set(place, tags);
    }
    return tags;
  }

  readonly #onGone = (): void => this.#gone?.abort();

  // One for all look-ups of a batch.
  #signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      setMaxListeners(0, this.#gone.signal);
      if (this.#client.destroyed) this.#gone.abort();
      else this.#client.once('close', this.#onGone);
    }
    return this.#gone.signal;
  }

  /**
   * Looks up the tags of one subject that a decision waits for: the next decision may not need the others. Returns true when
   * tags are known that the decision did not have, and false when the store tells none of them.
   * @param prefixes prefixes of context keys that can be looked up for the permission.
   * @param keys the keys that the decision waits for.
   * @throws when the store cannot be asked.
   */
  async learn(
    permission: Permission,
    prefixes: readonly string[],
    keys: readonly string[],
  ): Promise<boolean> {
    for (const prefix of prefixes) {
      if (!keys.some((key) => key.startsWith(prefix))) continue;
      const isKnown = this.known(prefix, permission) !== undefined;
      if (isKnown || (await this.of(prefix, permission)) !== undefined) return true;
    }
    return false;
  }
}
