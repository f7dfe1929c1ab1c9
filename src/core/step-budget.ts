/** Pays for matching. A step is about one comparison of two code units. */
export interface StepBudget {
  /** Takes steps from the budget. @throws when it is used up. */
  spend(steps: number): void;
}
