import { LRUCache } from 'lru-cache';

/** Bounds of a cache; both are hard limits. */
export interface CacheBounds<V> {
  readonly maxEntries: number;
  /** Total size that the entries may take, in the unit of `sizeOf`. */
  readonly maxSize?: number;
  readonly sizeOf?: (value: V, key: string) => number;
}

/** A least-recently-used cache that never grows past its bounds. */
export class BoundedCache<V extends object> {
  readonly #entries: LRUCache<string, V>;
  #isClosed = false;

  constructor(bounds: CacheBounds<V>) {
    const { maxEntries, maxSize, sizeOf } = bounds;
    this.#entries = new LRUCache<string, V>(
      maxSize === undefined || sizeOf === undefined
        ? { max: maxEntries }
        : { max: maxEntries, maxSize, sizeCalculation: sizeOf },
    );
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    if (!this.#isClosed) this.#entries.set(key, value);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }

  /** Forgets everything, and keeps nothing from now on. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  get size(): number {
    return this.#entries.size;
  }
}
