import type { ForStore } from '../authenticate/for-store.ts';
import type { StepBudget } from '../core/glob.ts';
import { type ContextEntry, KeyTable } from '../iam/key-table.ts';
import { RequestContext } from '../iam/request-context.ts';
import type { ConditionKey, Permission, S3Request } from '../s3/operation.ts';
import type { Identified } from './asker.ts';
import { askersKeys } from './global-keys.ts';
import { signatureKeys } from './signature-keys.ts';

/** Cost of a key that only one decision has, in comparisons: its name may have to be folded and hashed. */
const stepsPerKey = 200;

/**
 * The request contexts of the decisions on one request. What decisions have in common is built once: a session or a bucket
 * has up to 50 tags, and a client asks for a thousand decisions with one request.
 */
export class DecisionContexts {
  readonly #request: S3Request;
  readonly #identified: Identified | ForStore;
  readonly #budget: StepBudget;
  #base: readonly ContextEntry[] | undefined;
  #baseTable: KeyTable | undefined;
  #requestTable: KeyTable | undefined;
  #shared: RequestContext | undefined;

  /** @param budget pays for what is built for one decision */
  constructor(request: S3Request, identified: Identified | ForStore, budget: StepBudget) {
    this.#request = request;
    this.#identified = identified;
    this.#budget = budget;
  }

  /**
   * The context of one decision.
   * @param lazyKeys prefixes of the keys that only the store knows; those of `tags` are known already
   */
  of(
    { conditionKeys = none, unknownKeys = none }: Permission,
    requestKeys: readonly ConditionKey[],
    lazyKeys: readonly string[],
    tags: (prefix: string) => KeyTable | undefined,
  ): RequestContext {
    const isPlain = conditionKeys.length === 0 && unknownKeys.length === 0 && lazyKeys.length === 0;
    // Most permissions need only the context of the request.
    if (isPlain && isSameList(requestKeys, this.#request.conditionKeys)) {
      this.#shared ??= new RequestContext(() => this.#keysOfRequest());
      return this.#shared;
    }
    const list = (): KeyTable => this.#tableOf(requestKeys, conditionKeys);
    let context = new RequestContext(list, [...lazyKeys, ...unknownKeys]);
    for (const prefix of lazyKeys) {
      const known = tags(prefix);
      if (known !== undefined) context = context.withLookedUp(prefix, known);
    }
    return context;
  }

  /** Every context key of the request and of one permission, for the explanation of a refusal. */
  list({ conditionKeys = none }: Permission): readonly ContextEntry[] {
    return [...this.#baseKeys(), ...this.#request.conditionKeys, ...conditionKeys];
  }

  /** Forgets what was built. A session that was chained twenty times has a thousand tags, and an upload lasts long. */
  forget(): void {
    this.#base = undefined;
    this.#baseTable = undefined;
    this.#requestTable = undefined;
    this.#shared = undefined;
  }

  #tableOf(requestKeys: readonly ConditionKey[], conditionKeys: readonly ConditionKey[]): KeyTable {
    const { length } = this.#request.conditionKeys;
    // Entries of a batch add their own keys to those of the request.
    const isFurther = isSameList(requestKeys.slice(0, length), this.#request.conditionKeys);
    const own = [...(isFurther ? requestKeys.slice(length) : requestKeys), ...conditionKeys];
    if (isFurther && own.length === 0) return this.#keysOfRequest();
    this.#budget.spend(own.length * stepsPerKey);
    return new KeyTable(own, isFurther ? this.#keysOfRequest() : this.#keysOfCaller());
  }

  #keysOfRequest(): KeyTable {
    this.#requestTable ??= new KeyTable([...this.#baseKeys(), ...this.#request.conditionKeys]);
    return this.#requestTable;
  }

  #keysOfCaller(): KeyTable {
    this.#baseTable ??= new KeyTable(this.#baseKeys());
    return this.#baseTable;
  }

  #baseKeys(): readonly ContextEntry[] {
    if (this.#base === undefined) {
      const { caller, region } = this.#identified;
      this.#base = [...askersKeys(this.#request.raw, caller, region), ...signatureKeys(this.#identified)];
    }
    return this.#base;
  }
}

function isSameList(left: readonly ConditionKey[], right: readonly ConditionKey[]): boolean {
  return left === right || (left.length === right.length && left.every((one, at) => one === right[at]));
}

const none: readonly never[] = [];
