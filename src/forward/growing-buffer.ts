import type { Reservation } from '../core/byte-budget.ts';

/** Large enough that most documents never grow. */
const firstCapacity = 4096;

const nothing = Buffer.alloc(0);

/**
 * Gathers pieces in one block, which doubles as it fills. A body in tiny pieces costs at most about twice its bytes, and no
 * object for each piece. The block is added to what the reservation already holds.
 */
export class GrowingBuffer {
  readonly #reservation: Reservation;
  readonly #reservedBefore: number;
  readonly #maxBytes: number;
  #block = nothing;
  #length = 0;

  /** @param maxBytes the announced length, or a limit; the block never grows beyond it */
  constructor(reservation: Reservation, maxBytes: number) {
    this.#reservation = reservation;
    this.#reservedBefore = reservation.bytes;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Appends a piece. Returns false, and appends nothing, when it exceeds `maxBytes`.
   * @throws BudgetExhaustedError
   */
  push(piece: Buffer): boolean {
    const needed = this.#length + piece.length;
    if (needed > this.#maxBytes) return false;
    if (needed > this.#block.length) this.#grow(needed);
    piece.copy(this.#block, this.#length);
    this.#length = needed;
    return true;
  }

  /** The bytes pushed so far; a view, not a copy. */
  bytes(): Buffer {
    return this.#block.subarray(0, this.#length);
  }

  #grow(needed: number): void {
    const doubled = Math.max(needed, firstCapacity, this.#block.length * 2);
    const capacity = Math.min(doubled, this.#maxBytes);
    this.#reservation.growTo(this.#reservedBefore + capacity);
    const block = Buffer.allocUnsafe(capacity);
    this.#block.copy(block, 0, 0, this.#length);
    this.#block = block;
  }
}
