import { NoPlace } from './places.ts';

/** Lets a number of callers wait for something at the same time, and no more. */
export class Gate {
  readonly #max: number;
  #underWay = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Does the work, unless as much is under way as may be. @throws NoPlace */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#max) throw new NoPlace('as much is under way as may be');
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
    }
  }
}
