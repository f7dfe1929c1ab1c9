import { BudgetExhaustedError, type Reservation } from '../core/byte-budget.ts';

/** A reservation that makes room before it fails. A class for the reason given in `byte-budget.ts`. */
export class StrangersBytes implements Reservation {
  readonly #reservation: Reservation;
  readonly #makeRoom: () => boolean;

  /** @param makeRoom returns false when it cannot make room */
  constructor(reservation: Reservation, makeRoom: () => boolean) {
    this.#reservation = reservation;
    this.#makeRoom = makeRoom;
  }

  get bytes(): number {
    return this.#reservation.bytes;
  }

  resize(bytes: number): void {
    for (;;) {
      try {
        this.#reservation.resize(bytes);
        return;
      } catch (error) {
        if (!(error instanceof BudgetExhaustedError) || !this.#makeRoom()) throw error;
      }
    }
  }

  growTo(bytes: number): void {
    if (bytes > this.bytes) this.resize(bytes);
  }

  release(): void {
    this.#reservation.release();
  }
}
