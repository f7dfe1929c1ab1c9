import { NoPlace } from './places.ts';

/** Limits how many pieces of work run at the same time. */
export class Gate {
  readonly #max: number;
  #underWay = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Does the work.
   * @throws NoPlace when the limit is reached
   */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#max) throw new NoPlace('too many at the same time');
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
    }
  }
}
