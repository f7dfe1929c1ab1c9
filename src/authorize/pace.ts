import { nextTurn } from '../core/turns.ts';
import type { DecisionBudget } from '../iam/budget.ts';
import type { PolicyPrincipal } from '../iam/query.ts';

/** Steps between two pauses, a few milliseconds. A single policy is not interrupted; the largest takes less than this. */
export const stepsPerSlice = 2_000_000;

/** Inserts pauses into the decisions of one request, so that long ones do not block the event loop. */
export class Pace {
  readonly #budget: DecisionBudget;
  #spentBefore = 0;
  #resting: Promise<void> | undefined;

  constructor(budget: DecisionBudget) {
    this.#budget = budget;
  }

  /** A promise to await once the request has used up its slice. Concurrent decisions of the request share it. */
  rest({ entityArn, arn }: PolicyPrincipal): Promise<void> | undefined {
    if (this.#resting !== undefined) return this.#resting;
    if (this.#budget.spent - this.#spentBefore < stepsPerSlice) return undefined;
    this.#resting = nextTurn(entityArn ?? arn).then(() => {
      this.#spentBefore = this.#budget.spent;
      this.#resting = undefined;
    });
    return this.#resting;
  }
}
