/**
 * Bytes that are shared among holders, of which none can use them up: a holder may never have more than what is left for all others.
 * One holder alone gets a half, and the next a half of the rest: a dozen leave next to nothing.
 */
export class SharedBytes {
  readonly maxBytes: number;
  readonly #heldBy = new Map<string, number>();
  #used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes of all holders together. */
  get usedBytes(): number {
    return this.#used;
  }

  /**
   * Gives that many bytes more to a holder, or takes them back. Taking back always succeeds.
   * @returns false, and nothing changes, when the holder would have more than what is left for all others
   */
  change(holder: string, difference: number): boolean {
    const held = (this.#heldBy.get(holder) ?? 0) + difference;
    const used = this.#used + difference;
    if (difference > 0 && held > this.maxBytes - used) return false;
    this.#used = used;
    if (held === 0) this.#heldBy.delete(holder);
    else this.#heldBy.set(holder, held);
    return true;
  }
}
