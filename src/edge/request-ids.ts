import { BatchedIds } from '../core/batched-ids.ts';
import type { Randomness } from '../core/randomness.ts';

/** Makes the ids of requests: 16 upper-case hexadecimal digits, as at S3. */
export class RequestIds {
  readonly #ids: BatchedIds;

  constructor(randomness: Randomness) {
    this.#ids = new BatchedIds(randomness, 8);
  }

  next(): string {
    return this.#ids.next().toUpperCase();
  }
}
