/** There is no room left for what would have to be held in memory; the client may try again. */
export class BudgetExhaustedError extends Error {
  override readonly name = 'BudgetExhaustedError';

  constructor() {
    super('the byte budget is used up');
  }
}

/** The bytes that one request holds in memory. */
export interface Reservation {
  /** Bytes held now. */
  readonly bytes: number;
  /**
   * Holds that many bytes in all from now on. Shrinking always succeeds.
   * @throws BudgetExhaustedError when there is no room to grow; what is held stays as it was
   */
  resize(bytes: number): void;
  /** Holds at least that many bytes in all; see {@link Reservation.resize}. */
  growTo(bytes: number): void;
  /** Gives everything back. Further calls have no effect. */
  release(): void;
}

/**
 * One budget for everything in the process that is read or written whole: forms, documents, small uploads, answers that
 * wait for a slow reader.
 *
 * No holder can use it up: a holder may never have more than what is left for all others. One holder alone gets a half,
 * two get a third each, and there is always room for one more.
 */
export class ByteBudget {
  readonly maxBytes: number;
  readonly #heldBy = new Map<string, number>();
  #used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes held by all requests together. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Starts a reservation of no bytes. `holder` is a principal, or one name for all unauthenticated clients. */
  reserve(holder: string): Reservation {
    return new HeldBytes((difference) => this.#change(holder, difference));
  }

  #change(holder: string, difference: number): void {
    const held = (this.#heldBy.get(holder) ?? 0) + difference;
    const used = this.#used + difference;
    if (difference > 0 && held > this.maxBytes - used) throw new BudgetExhaustedError();
    this.#used = used;
    if (held === 0) this.#heldBy.delete(holder);
    else this.#heldBy.set(holder, held);
  }
}

/**
 * A class, because an accessor in an object literal gives each object a hidden class of its own. V8 keeps those, and what
 * they lead to, until the next full collection.
 */
class HeldBytes implements Reservation {
  readonly #change: (difference: number) => void;
  #bytes = 0;
  #isReleased = false;

  constructor(change: (difference: number) => void) {
    this.#change = change;
  }

  get bytes(): number {
    return this.#bytes;
  }

  resize(bytes: number): void {
    if (this.#isReleased) return;
    this.#change(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  growTo(bytes: number): void {
    if (bytes > this.#bytes) this.resize(bytes);
  }

  release(): void {
    this.resize(0);
    this.#isReleased = true;
  }
}
