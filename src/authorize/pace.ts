import { alwaysThere, requireClient, type WaitingClient } from '../core/client-gone.ts';
import { nextTurn, type TurnOwner } from '../core/turns.ts';
import type { DecisionBudget } from '../iam/budget.ts';

/**
 * Steps in one turn of the event loop, a few milliseconds: of all requests that arrive in it together, and of one that has
 * waited for its turn. A pause comes soon after they are used up.
 */
export const stepsPerSlice = 2_000_000;

/** Fewer steps than these, some fifty microseconds, are not counted: the rest of a request costs more. */
const fewSteps = 10_000;

/** Steps that the requests without a turn of their own have taken in this turn of the event loop. */
let spentInTurn = 0;

function forgetTurn(): void {
  spentInTurn = 0;
}

/** Inserts pauses into the decisions of one request, so that long ones do not block the event loop and end with their client. */
export class Pace {
  readonly #budget: DecisionBudget;
  readonly #client: WaitingClient;
  #counted = 0;
  /** Steps of the request when its turn came; `undefined` outside that turn of the event loop. */
  #turnBeganAt: number | undefined;
  #resting: Promise<void> | undefined;

  constructor(budget: DecisionBudget, client: WaitingClient = alwaysThere) {
    this.#budget = budget;
    this.#client = client;
  }

  /** Counts work that is no decision. */
  spend(steps: number): void {
    this.#budget.spend(steps);
    this.count();
  }

  /** Counts the steps of a decision that has been made, so that requests which arrive together share one slice. */
  count(): void {
    const { spent } = this.#budget;
    const steps = spent - this.#counted;
    if (this.#turnBeganAt === undefined) {
      if (steps < fewSteps) return;
      if (spentInTurn === 0) setImmediate(forgetTurn);
      spentInTurn += steps;
    }
    this.#counted = spent;
  }

  /**
   * A promise to await once the slice has been used up. Concurrent decisions of the request share it. Rejects with ClientGoneError
   * when the client has left meanwhile.
   */
  rest({ owner, session }: TurnOwner): Promise<void> | undefined {
    if (this.#resting !== undefined) return this.#resting;
    this.count();
    const began = this.#turnBeganAt;
    const used = began === undefined ? spentInTurn : this.#budget.spent - began;
    if (used < stepsPerSlice) return undefined;
    this.#resting = nextTurn(owner, session).then(() => {
      this.#turnBeganAt = this.#budget.spent;
      this.#resting = undefined;
      requireClient(this.#client);
      // A request that then waits for the store comes back together with others.
      setImmediate(() => {
        this.#turnBeganAt = undefined;
      });
    });
    return this.#resting;
  }
}
