import type { StepBudget } from '../core/glob.ts';
import { DecisionError } from './decision-error.ts';

/**
 * Steps that one decision may take; a step is about one comparison of two code units. Both sides of a comparison can
 * be chosen by one client: a session policy and a header. So many steps take less time than 1,000 HMACs of a signature
 * check, which `npm run bench:micro` shows. A long legitimate policy, 200 patterns tested on a key of 200 characters,
 * takes a fifth.
 */
export const maxStepsPerDecision = 250_000;

/**
 * Steps that each further decision of one request adds: 20 patterns with a `*` inside, tested on a key of 200
 * characters. For the 1,000 keys of DeleteObjects that is 8 million, less than the time of 20,000 HMACs.
 */
export const stepsPerFurtherDecision = 8_000;

/**
 * What the decisions of one request may cost together. Give one budget to all of them when their number is the
 * client's choice; whatever is decided after it is used up is denied with a fault.
 */
export class DecisionBudget implements StepBudget {
  #left: number;

  /** @param decisions how many decisions share the budget; at least 1. */
  constructor(decisions = 1) {
    this.#left = maxStepsPerDecision + stepsPerFurtherDecision * (decisions - 1);
  }

  /** @throws DecisionError with `budget-exhausted`, from the step that exceeds the budget on. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) {
      throw new DecisionError('budget-exhausted', 'the policies take too many steps on this request');
    }
  }
}
