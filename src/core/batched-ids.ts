import type { Randomness } from './randomness.ts';

/** Ids that are made together: writing them one by one costs ten times as much. */
const idsAtOnce = 256;

/** Random ids in lower-case hexadecimal digits, each of the same number of random bytes. */
export class BatchedIds {
  readonly #randomness: Randomness;
  readonly #idBytes: number;
  readonly #adapt: (id: Buffer) => void;
  #digits = '';
  #used = 0;

  /** @param adapt sets the bits of an id that are not random */
  constructor(randomness: Randomness, idBytes: number, adapt: (id: Buffer) => void = () => undefined) {
    this.#randomness = randomness;
    this.#idBytes = idBytes;
    this.#adapt = adapt;
  }

  next(): string {
    const digits = 2 * this.#idBytes;
    if (this.#used === this.#digits.length) this.#fill();
    this.#used += digits;
    return this.#digits.slice(this.#used - digits, this.#used);
  }

  #fill(): void {
    const length = this.#idBytes;
    const bytes = Buffer.from(this.#randomness.bytes(length * idsAtOnce));
    for (let start = 0; start < bytes.length; start += length)
      this.#adapt(bytes.subarray(start, start + length));
    this.#digits = bytes.toString('hex');
    this.#used = 0;
  }
}
