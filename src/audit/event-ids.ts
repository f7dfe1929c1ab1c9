import { BatchedIds } from '../core/batched-ids.ts';
import type { Randomness } from '../core/randomness.ts';

/** Makes the ids of events: random UUIDs (RFC 9562, version 4). */
export class EventIds {
  readonly #ids: BatchedIds;

  constructor(randomness: Randomness) {
    this.#ids = new BatchedIds(randomness, 16, setVersion);
  }

  next(): string {
    const hex = this.#ids.next();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

function setVersion(id: Buffer): void {
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x40;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
}
