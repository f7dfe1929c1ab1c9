import { SharedBytes } from './shared-bytes.ts';

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
 * wait for a slow reader. No holder can use it up ({@link SharedBytes}).
 */
export class ByteBudget {
  readonly #shared: SharedBytes;

  constructor(maxBytes: number) {
    this.#shared = new SharedBytes(maxBytes);
  }

  get maxBytes(): number {
    return this.#shared.maxBytes;
  }

  /** Bytes held by all requests together. */
  get usedBytes(): number {
    return this.#shared.usedBytes;
  }

  /** Starts a reservation of no bytes. `holder` is a principal, or one name for all unauthenticated clients. */
  reserve(holder: string): Reservation {
    return new HeldBytes((difference) => {
      if (!this.#shared.change(holder, difference)) throw new BudgetExhaustedError();
    });
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
