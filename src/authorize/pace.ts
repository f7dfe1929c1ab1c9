import type { DecisionBudget } from '../iam/budget.ts';

/** Steps between two pauses: some milliseconds. One policy is never interrupted, and the largest takes less than that again. */
export const stepsPerSlice = 2_000_000;

/** Makes room for everything else while the decisions of one request take long. */
export class Pace {
  readonly #budget: DecisionBudget;
  #spentBefore = 0;
  #resting: Promise<void> | undefined;

  constructor(budget: DecisionBudget) {
    this.#budget = budget;
  }

  /** A promise to wait for when the request has used up its slice; the same for all that is decided for it meanwhile. */
  rest(): Promise<void> | undefined {
    if (this.#resting !== undefined) return this.#resting;
    if (this.#budget.spent - this.#spentBefore < stepsPerSlice) return undefined;
    this.#resting = nextTurn().then(() => {
      this.#spentBefore = this.#budget.spent;
      this.#resting = undefined;
    });
    return this.#resting;
  }
}

const waiting: (() => void)[] = [];

/** Waits for a turn of the event loop of its own: however many requests decide at length, each turn runs one slice. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(serveNext);
  });
}

function serveNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(serveNext);
}
