import { compileGlob, parseGlob, unlimitedSteps } from '../../core/glob.ts';
import type { KnownAction, KnownKey } from '../policy-vocabulary.ts';

/** Words in lower case, made once: a directory may hold tens of thousands of policies. */
export class ActionIndex {
  readonly #byName: ReadonlyMap<string, KnownAction>;
  readonly #verdicts = new Map<string, boolean>();

  constructor(actions: readonly KnownAction[]) {
    this.#byName = new Map(actions.map((action) => [action.name.toLowerCase(), action]));
  }

  /** The action of exactly that name, ignoring case. */
  get(name: string): KnownAction | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** Whether a pattern of an Action element matches one of them. */
  isMatchedBy(pattern: string): boolean {
    const lower = pattern.toLowerCase();
    const known = this.#verdicts.get(lower);
    if (known !== undefined) return known;
    const matches = compileGlob(parseGlob(lower));
    const verdict =
      this.#byName.has(lower) || [...this.#byName.keys()].some((name) => matches(name, unlimitedSteps));
    this.#verdicts.set(lower, verdict);
    return verdict;
  }
}

/** Condition keys by their names in lower case. */
export class KeyIndex {
  readonly #byName: ReadonlyMap<string, KnownKey>;

  constructor(keys: readonly KnownKey[]) {
    this.#byName = new Map(keys.map((key) => [key.name.toLowerCase(), key]));
  }

  /** The key itself, or the one that stands for every key below it. */
  find(key: string): KnownKey | undefined {
    const lower = key.toLowerCase();
    const slash = lower.indexOf('/') + 1;
    if (slash > 0 && slash < lower.length) return this.#byName.get(lower.slice(0, slash));
    return slash === 0 ? this.#byName.get(lower) : undefined;
  }
}
