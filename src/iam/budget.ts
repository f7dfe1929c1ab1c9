import type { StepBudget } from '../core/glob.ts';
import { DecisionFault } from './decision-fault.ts';

/**
 * Steps that every policy may take in a decision. A step is about one comparison of two code units, a few nanoseconds. What
 * takes longer counts as more, so that steps tell how long a decision takes.
 */
export const maxStepsPerPolicy = 250_000;

/**
 * Steps that each character of the policy adds. No character of a legal policy costs more; the most expensive, 4,600, are
 * conditions on 50 tag keys of 128 characters, each with one pattern and a variable that stands for most of these. A session
 * policy of full size gets 12 million.
 */
export const stepsPerPolicyCharacter = 6_000;

/**
 * Counts the work of the decisions of one request. One client can choose both sides of a comparison, with a session policy
 * and a header, so the cost of a decision is bounded. The bound of a policy grows with its size, and no policy within AWS's
 * limits reaches it. Each policy has its own in each decision: a large one lends none to a small one beside it, and a key
 * that is allowed alone is also allowed in a batch.
 */
export class DecisionBudget implements StepBudget {
  #spent = 0;

  /** Starts one decision; its steps also count here. With `pauses` it is interrupted inside a policy, too. */
  begin(pauses: 'with pauses' | 'without pauses' = 'without pauses'): StepsOfDecision {
    return new StepsOfDecision(
      this,
      pauses === 'with pauses' ? stepsBetweenPauses : Number.POSITIVE_INFINITY,
    );
  }

  /** Starts what may take so many steps altogether, however large the policies are; they count here, too. */
  beginBounded(maxSteps: number): StepsOfDecision {
    return new StepsOfDecision(this, Number.POSITIVE_INFINITY, maxSteps);
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

/** Steps after which a decision offers a pause: about half a millisecond. */
const stepsBetweenPauses = 100_000;

/** The steps of one decision, which may take so many for each policy. */
export class StepsOfDecision implements StepBudget {
  readonly #all: DecisionBudget;
  readonly #betweenPauses: number;
  #left: number;
  #pauseBelow: number;

  constructor(all: DecisionBudget, betweenPauses: number, steps: number = maxStepsPerPolicy) {
    this.#all = all;
    this.#betweenPauses = betweenPauses;
    this.#left = steps;
    this.#pauseBelow = this.#left - betweenPauses;
  }

  /** Starts a policy of this size, after a pause. */
  startPolicy(characters: number): void {
    this.#left = maxStepsPerPolicy + stepsPerPolicyCharacter * characters;
    this.endPause();
  }

  /** @throws DecisionFault with `budget-exhausted` once the policy has taken more steps than it may. */
  spend(steps: number): void {
    this.#all.spend(steps);
    this.#left -= steps;
    if (this.#left < 0) throw exhausted();
  }

  /** True when the decision should be interrupted. */
  get isPauseDue(): boolean {
    return this.#left < this.#pauseBelow;
  }

  /** Goes on after an interruption. */
  endPause(): void {
    this.#pauseBelow = this.#left - this.#betweenPauses;
  }
}

function exhausted(): DecisionFault {
  return new DecisionFault('budget-exhausted', 'the policies take too many steps on this request');
}
