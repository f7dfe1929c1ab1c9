/** The subject of a look-up. */
export type LookupSubject =
  | {
      readonly kind: 'object-tags';
      readonly bucket: string;
      readonly key: string;
      readonly versionId?: string | undefined;
    }
  | { readonly kind: 'bucket-tags'; readonly bucket: string };

class WarrantOfDecision {
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #subject: LookupSubject;

  constructor(subject: LookupSubject) {
    this.#subject = subject;
  }

  get subject(): LookupSubject {
    return this.#subject;
  }
}

/** Proof that a decision on an authenticated request depends on the look-up. */
export type LookupWarrant = WarrantOfDecision;

/** A tag as the store returns it. */
export type StoreTag = readonly [key: string, value: string];

/** The port through which decisions ask the store. */
export interface StoreLookup {
  /**
   * Tags of what the warrant names; empty when it has none, or is an object that does not exist; `undefined` when the store
   * does not say which, and for a version that it does not find.
   * @throws when the store cannot be asked; ClientGoneError when the signal aborts.
   */
  tags(warrant: LookupWarrant, asker: LookupAsker): Promise<readonly StoreTag[] | undefined>;
}

/** The caller for whom a look-up is made. */
export interface LookupAsker {
  /** The ARN of the principal that pays for the answer. */
  readonly owner: string;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
  /** Headers that join the look-up to the trace of the request, flat. */
  readonly traceHeaders: readonly string[];
}

/** Looks up the tags of a subject for one decision. */
export function lookUpTags(
  lookup: StoreLookup,
  subject: LookupSubject,
  asker: LookupAsker,
): Promise<readonly StoreTag[] | undefined> {
  return lookup.tags(new WarrantOfDecision(subject), asker);
}
