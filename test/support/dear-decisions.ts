import { vi } from 'vitest';
import { DecisionBudget } from '../../src/iam/budget.ts';
import type { WireRequest } from './raw-requests.ts';

/** The longest headers that reach a decision. */
export const longHeaders: WireRequest['headers'] = [
  ['User-Agent', 'a'.repeat(2_048)],
  ['Referer', 'a'.repeat(2_048)],
];

/** A session policy that folds both headers as often as its size allows, and denies nothing. */
export const dearPolicy: object = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    ...Array.from({ length: 2 }, () => ({
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: {
        ...Object.fromEntries(
          ['', 'ForAllValues:', 'ForAnyValue:'].flatMap((set) =>
            ['', 'IfExists'].map((form) => [
              `${set}StringNotEqualsIgnoreCase${form}`,
              { 'aws:UserAgent': 'b', 'aws:Referer': 'b' },
            ]),
          ),
        ),
        Null: { 'aws:Referer': true },
      },
    })),
  ],
};

/** The most steps that one turn of the event loop was made to run, and how many turns there were. */
export function countTurns(): {
  readonly most: () => number;
  readonly turns: () => number;
  readonly stop: () => void;
} {
  let [turns, most, current, isStopped] = [0, 0, 0, false];
  const spend = DecisionBudget.prototype.spend;
  vi.spyOn(DecisionBudget.prototype, 'spend').mockImplementation(function (this: DecisionBudget, steps) {
    current += steps;
    most = Math.max(most, current);
    spend.call(this, steps);
  });
  const turn = (): void => {
    turns += 1;
    current = 0;
    if (!isStopped) setImmediate(turn);
  };
  turn();
  const stop = (): void => {
    isStopped = true;
  };
  return { most: () => most, turns: () => turns, stop };
}
