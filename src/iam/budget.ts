import type { StepBudget } from '../core/glob.ts';
import { DecisionError } from './decision-error.ts';

/** Steps that every decision may take; a step is about one comparison of two code units, some nanoseconds. */
export const maxStepsPerDecision = 250_000;

/**
 * Steps that each character of the policies adds. The dearest that a character of a legal policy can ask for stays below:
 * a pattern of four characters looked for in 50 tag keys of 128. A session policy of full size comes to 8 million.
 */
export const stepsPerPolicyCharacter = 4_000;

/**
 * Pays for the decisions of one request. Both sides of a comparison can be chosen by one client, a session policy and a
 * header, so what one decision may cost is bounded. The bound grows with the policies and each decision has its own: no
 * policy within AWS's limits reaches it, and what is allowed alone is allowed in a batch, also when its decisions take turns.
 */
export class DecisionBudget implements StepBudget {
  #spent = 0;

  /** The budget of one decision by policies of so many characters; its steps count here too. */
  begin(policyCharacters: number): StepBudget {
    return new OneDecision(this, maxStepsPerDecision + stepsPerPolicyCharacter * policyCharacters);
  }

  /** Steps of all decisions so far. */
  get spent(): number {
    return this.#spent;
  }

  /** Counts steps that no decision has a budget for. */
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

  /** @throws DecisionError with `budget-exhausted`, from the step that exceeds the budget on. */
  spend(steps: number): void {
    this.#all.spend(steps);
    this.#left -= steps;
    if (this.#left < 0) throw exhausted();
  }
}

function exhausted(): DecisionError {
  return new DecisionError('budget-exhausted', 'the policies take too many steps on this request');
}
