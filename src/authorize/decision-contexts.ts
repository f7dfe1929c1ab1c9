import type { Authenticated } from '../authenticate/authenticate.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import { RequestContext } from '../iam/request-context.ts';
import type { ConditionKey, Permission, S3Request } from '../s3/operation.ts';
import { globalKeys } from './global-keys.ts';
import { signatureKeys } from './signature-keys.ts';
import type { StoreTag } from './store-lookup.ts';

/** The request contexts of the decisions on one request. */
export class DecisionContexts {
  readonly #request: S3Request;
  readonly #authenticated: Authenticated;
  #base: readonly ContextEntry[] | undefined;
  #shared: RequestContext | undefined;

  constructor(request: S3Request, authenticated: Authenticated) {
    this.#request = request;
    this.#authenticated = authenticated;
  }

  /**
   * The context of one decision.
   * @param lazyKeys prefixes of the keys that only the store knows; those of `tags` are known already
   */
  of(
    { conditionKeys, unknownKeys }: Permission,
    requestKeys: readonly ConditionKey[],
    lazyKeys: readonly string[],
    tags: (prefix: string) => readonly StoreTag[] | undefined,
  ): RequestContext {
    const isPlain = conditionKeys === undefined && unknownKeys === undefined && lazyKeys.length === 0;
    // Most permissions need only the context of the request, which is built once.
    if (isPlain && isSameList(requestKeys, this.#request.conditionKeys)) {
      this.#shared ??= new RequestContext(() => [...this.#baseKeys(), ...requestKeys]);
      return this.#shared;
    }
    const list = (): ContextEntry[] => [...this.#baseKeys(), ...requestKeys, ...(conditionKeys ?? none)];
    let context = new RequestContext(list, [...lazyKeys, ...(unknownKeys ?? none)]);
    for (const prefix of lazyKeys) {
      const known = tags(prefix);
      if (known !== undefined) context = context.withLookedUp(prefix, entriesOf(prefix, known));
    }
    return context;
  }

  /** Every context key of the request and of one permission, for the explanation of a refusal. */
  list({ conditionKeys = [] }: Permission): readonly ContextEntry[] {
    return [...this.#baseKeys(), ...this.#request.conditionKeys, ...conditionKeys];
  }

  #baseKeys(): readonly ContextEntry[] {
    if (this.#base === undefined) {
      const { caller, region } = this.#authenticated;
      this.#base = [...globalKeys(this.#request.raw, caller, region), ...signatureKeys(this.#authenticated)];
    }
    return this.#base;
  }
}

function isSameList(left: readonly ConditionKey[], right: readonly ConditionKey[]): boolean {
  return left === right || (left.length === right.length && left.every((one, at) => one === right[at]));
}

function entriesOf(prefix: string, tags: readonly StoreTag[]): ContextEntry[] {
  return tags.map(([key, value]) => [prefix + key, value]);
}

const none: readonly never[] = [];
