/** Failures in a row before one batch or record is doubted instead of the collector, and of one record alone before it is given up. */
const patience = 5;
/** So many records after one that was given up, the next one is looked for at the first failure: its sender may send more. */
const doubtedAfterLoss = 10_000;

/** An attempt that has failed, and not because the collector refused the records for ever. */
export interface FailedAttempt {
  /** Records that were sent together. */
  readonly count: number;
  /** Records that wait, those of the attempt included. */
  readonly waiting: number;
  /** Attempts that have failed in a row, this one included. */
  readonly failures: number;
}

/**
 * Finds the one record that a collector fails for, again and again, while it takes others. The batch in doubt is sent record by record.
 * Where the first one fails alone, later ones are tried: if none is accepted, the collector is out of order and all wait. If one is, the
 * first is tried again, and is given up after some such rounds: the collector could just have come back.
 */
export class Doubt {
  /** Records, from the first on, among which one is in doubt; 0 as long as the collector is. */
  #among = 0;
  #place = 0;
  /** The later record that is tried. At once the one that was accepted before: several in doubt may stand beside each other. */
  #later = 1;
  /** How often the first record has failed alone, with others accepted in between. */
  #rounds = 0;
  #isLaterAccepted = false;

  /** The place of the record that the next attempt begins with; 0 is the first that waits. */
  get place(): number {
    return this.#place;
  }

  /** Learns of a failure, and says what follows: the same is tried again, one record alone, or the first one is given up. */
  failed({ count, waiting, failures }: FailedAttempt): 'again' | 'alone' | 'lost' {
    if (this.#among === 0 && failures < patience) return 'again';
    this.#among = Math.max(this.#among, count);
    if (count > 1) return 'alone';
    if (this.#place > 0) {
      const further = 2 * this.#place;
      this.#later = further < waiting ? further : 1;
      this.#place = further < waiting ? further : 0;
      return 'alone';
    }
    if (this.#rounds === 0 || this.#isLaterAccepted) this.#rounds += 1;
    this.#isLaterAccepted = false;
    if (this.#rounds === patience) return 'lost';
    if (this.#later >= waiting) this.#later = 1;
    this.#place = this.#later < waiting ? this.#later : 0;
    return 'alone';
  }

  /** Learns that the collector has accepted so many records. */
  accepted(count: number): void {
    if (this.#place > 0) this.#isLaterAccepted = true;
    this.left(count);
  }

  /** Learns that so many records wait no longer. */
  left(count: number): void {
    if (this.#place === 0) {
      this.#among = Math.max(0, this.#among - count);
      this.#rounds = 0;
    }
    this.#place = 0;
  }

  /** Learns that the first record was given up. */
  lost(): void {
    this.left(1);
    this.#among = doubtedAfterLoss;
  }
}
