/** Heads of answers and small answers fit. They are copied out, and the buffer is used again. */
const smallBytes = 8192;
/** As much as Node reads at once. */
const largeBytes = 65_536;

/**
 * The memory that one connection reads into. Without it, Node allocates 64 KiB for each read. That costs a small answer more
 * than its bytes do, and a large object a page fault for each of its pages.
 *
 * A read that fills the small buffer is followed by a large one, whose bytes are passed on without a copy. A large buffer is
 * used again only after the receiver has let go of its bytes. Two take turns while the receiver keeps up; when it does not,
 * reading falls back to the small buffer, so that a stalled answer holds no third one.
 */
export class ReadBuffers {
  readonly #isHolding: () => boolean;
  readonly #small: Buffer = Buffer.allocUnsafeSlow(smallBytes);
  #next: Buffer = this.#small;
  /** The large buffer of the last large read. The receiver may still use it. */
  #last: Buffer | undefined;

  /** @param isHolding true while the receiver uses bytes of earlier reads */
  constructor(isHolding: () => boolean) {
    this.#isHolding = isHolding;
  }

  /** The buffer for the next read. */
  next(): Buffer {
    return this.#next;
  }

  /**
   * Returns the bytes of a read, for the receiver to keep until it lets go of them.
   *
   * @param buffer a buffer that {@link next} has returned, not always the newest one
   */
  take(buffer: Uint8Array, length: number): Buffer {
    const isHolding = this.#isHolding();
    if (buffer === this.#small) {
      if (length === smallBytes) this.#next = this.#unused(isHolding);
      return Buffer.from(this.#small.subarray(0, length));
    }
    this.#next = isHolding ? this.#small : this.#unused(isHolding);
    this.#last = buffer instanceof Buffer ? buffer : undefined;
    return Buffer.from(buffer.buffer, buffer.byteOffset, length);
  }

  /** Forgets the large buffers: their bytes belong to an exchange that is over. */
  reset(): void {
    this.#next = this.#small;
    this.#last = undefined;
  }

  #unused(isHolding: boolean): Buffer {
    const last = this.#last;
    this.#last = undefined;
    return last === undefined || isHolding ? Buffer.allocUnsafeSlow(largeBytes) : last;
  }
}
