/**
 * A secret value that no string conversion, JSON rendering or inspection can show (private fields are invisible
 * to `util.inspect`). Only {@link Secret.reveal}
 * returns it, so every use is easy to find.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself, for a cryptographic operation or the one response that issues it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}
