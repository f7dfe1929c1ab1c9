import type { Permission } from '../s3/operation.ts';
import { placeOf, subjectOf } from './store-keys.ts';
import { lookUpTags, type StoreLookup, type StoreTag } from './store-lookup.ts';

/** The tags that the store was asked for while one request is decided. */
export class LookedUpTags {
  readonly #lookup: StoreLookup;
  readonly #asked: Map<string, Promise<readonly StoreTag[] | undefined>> = new Map();
  readonly #known: Map<string, readonly StoreTag[]> = new Map();

  constructor(lookup: StoreLookup) {
    this.#lookup = lookup;
  }

  /** What the store has said already about context keys with that prefix. */
  known(prefix: string, permission: Permission): readonly StoreTag[] | undefined {
    const subject = subjectOf(prefix, permission);
    return subject && this.#known.get(placeOf(subject));
  }

  /**
   * Asks the store; `undefined` when it does not say. Entries of a multi-delete are decided side by side: what several of them
   * need is asked for once. Rejects when the store cannot be asked.
   */
  async of(prefix: string, permission: Permission): Promise<readonly StoreTag[] | undefined> {
    const subject = subjectOf(prefix, permission);
    if (subject === undefined) return undefined;
    const place = placeOf(subject);
    let asked = this.#asked.get(place);
    if (asked === undefined) {
      asked = lookUpTags(this.#lookup, subject);
      this.#asked.set(place, asked);
    }
    const tags = await asked;
    if (tags !== undefined) this.#known.set(place, tags);
    return tags;
  }

  /**
   * Asks for something that a decision waits for, as far as the prefixes can be looked up for its permission. True when some of
   * it is known now, perhaps since the decision began, so that a further decision can use it: that one may no longer wait for
   * the rest. Rejects when the store cannot be asked.
   */
  async learn(
    permission: Permission,
    prefixes: readonly string[],
    keys: readonly string[],
  ): Promise<boolean> {
    for (const prefix of prefixes) {
      if (!keys.some((key) => key.startsWith(prefix))) continue;
      const tags = this.known(prefix, permission) ?? (await this.of(prefix, permission));
      if (tags !== undefined) return true;
    }
    return false;
  }
}
