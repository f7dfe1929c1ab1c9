import type { Randomness } from '../core/randomness.ts';

const idBytes = 16;
/** Ids that are made together: writing them one by one costs several times as much. */
const idsAtOnce = 256;

/** Makes the ids of events: random UUIDs (RFC 9562, version 4). */
export class EventIds {
  readonly #randomness: Randomness;
  #digits = '';
  #used = 0;

  constructor(randomness: Randomness) {
    this.#randomness = randomness;
  }

  next(): string {
    if (this.#used === this.#digits.length) {
      const bytes = Buffer.from(this.#randomness.bytes(idBytes * idsAtOnce));
      for (let start = 0; start < bytes.length; start += idBytes) {
        bytes[start + 6] = ((bytes[start + 6] ?? 0) & 0x0f) | 0x40;
        bytes[start + 8] = ((bytes[start + 8] ?? 0) & 0x3f) | 0x80;
      }
      this.#digits = bytes.toString('hex');
      this.#used = 0;
    }
    const hex = this.#digits.slice(this.#used, this.#used + 2 * idBytes);
    this.#used += 2 * idBytes;
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}
