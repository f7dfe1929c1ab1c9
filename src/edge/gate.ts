import { NoPlaceError } from './place.ts';

/** Limits how many pieces of work run at the same time. The others wait, and pass in the order in which they came. */
export class Gate {
  readonly #max: number;
  #underWay = 0;
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Does the work when it can pass.
   *
   * @param signal ends the wait, but not the work
   * @param onEntered called when the wait is over
   * @throws NoPlaceError when the wait is ended
   */
  async pass<T>(
    work: () => Promise<T>,
    signal: AbortSignal,
    onEntered: () => void = () => undefined,
  ): Promise<T> {
    if (this.#underWay >= this.#max) await this.#turn(signal);
    else this.#underWay += 1;
    try {
      onEntered();
      if (signal.aborted) throw new NoPlaceError('gave way before its turn');
      return await work();
    } finally {
      this.#letIn();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(enter);
        reject(new NoPlaceError('gave way before its turn'));
      };
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Hands the pass of work that has ended to the next in line. */
  #letIn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#underWay -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
