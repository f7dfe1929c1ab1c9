import type { StepBudget } from '../core/glob.ts';
import { DecisionError } from './decision-error.ts';

/** Steps that every decision may take. A step is about one comparison of two code units, a few nanoseconds. */
export const maxStepsPerDecision = 250_000;

/**
 * Steps that each character of the policies adds. No character of a legal policy costs more; the most expensive are
 * four-character patterns matched against 50 tag keys of 128 characters. A session policy of full size gets 8 million.
 */
export const stepsPerPolicyCharacter = 4_000;

/**
 * Counts the work of the decisions of one request. One client can choose both sides of a comparison, with a session policy
 * and a header, so the cost of a decision is bounded. The bound grows with the policies, and no policy within AWS's limits
 * reaches it. Each decision has its own bound, so a key that is allowed alone is also allowed in a batch.
 */
export class DecisionBudget implements StepBudget {
  #spent = 0;

  /** Starts the budget of one decision by policies of this size; its steps also count here. */
  begin(policyCharacters: number): StepBudget {
    return new OneDecision(this, maxStepsPerDecision + stepsPerPolicyCharacter * policyCharacters);
  }

  /** Steps of all decisions so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Counts steps outside any decision. */
  spend(steps: number): void {
    this.#spent += steps;
  }
}

class OneDecision implements StepBudget {
  readonly #all: DecisionBudget;
  #left: number;

  constructor(all: DecisionBudget, most: number) {
    this.#all = all;
    this.#left = most;
  }

  /** @throws DecisionError with `budget-exhausted` once the budget is exceeded. */
  spend(steps: number): void {
    this.#all.spend(steps);
    this.#left -= steps;
    if (this.#left < 0) throw exhausted();
  }
}

function exhausted(): DecisionError {
  return new DecisionError('budget-exhausted', 'the policies take too many steps on this request');
}
