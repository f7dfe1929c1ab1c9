import type { Reservation } from '../core/byte-budget.ts';

/** Small enough to cost nothing, large enough that most documents never grow. */
const firstCapacity = 4096;

const nothing = Buffer.alloc(0);

/**
 * Bytes that arrive in pieces and are kept as one block, which doubles as it fills: no object per piece, and no more
 * memory than twice what arrived. The block is paid for from a reservation, on top of what that holds already.
 */
export class GrowingBuffer {
  readonly #reservation: Reservation;
  readonly #reservedBefore: number;
  readonly #maxBytes: number;
  #block = nothing;
  #length = 0;

  /** @param maxBytes the most that may be pushed; what was announced, or a limit. The block never grows beyond it. */
  constructor(reservation: Reservation, maxBytes: number) {
    this.#reservation = reservation;
    this.#reservedBefore = reservation.bytes;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Copies a piece to the end. False, and nothing is taken, when it does not fit into `maxBytes`.
   * @throws BudgetExhausted
   */
  push(piece: Buffer): boolean {
    const needed = this.#length + piece.length;
    if (needed > this.#maxBytes) return false;
    if (needed > this.#block.length) this.#grow(needed);
    piece.copy(this.#block, this.#length);
    this.#length = needed;
    return true;
  }

  /** The bytes pushed so far, not copied. */
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
