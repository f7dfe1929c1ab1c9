import type { Randomness } from '../core/randomness.ts';

const idBytes = 8;
/** Ids that are made together: writing them one by one costs ten times as much. */
const idsAtOnce = 256;

/** Makes the ids of requests: 16 upper-case hexadecimal digits, as at S3. */
export class RequestIds {
  readonly #randomness: Randomness;
  #digits = '';
  #used = 0;

  constructor(randomness: Randomness) {
    this.#randomness = randomness;
  }

  next(): string {
    if (this.#used === this.#digits.length) {
      const bytes = Buffer.from(this.#randomness.bytes(idBytes * idsAtOnce));
      this.#digits = bytes.toString('hex').toUpperCase();
      this.#used = 0;
    }
    this.#used += 2 * idBytes;
    return this.#digits.slice(this.#used - 2 * idBytes, this.#used);
  }
}
