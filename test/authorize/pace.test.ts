import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Pace, stepsPerSlice } from '../../src/authorize/pace.ts';
import type { TurnOwner } from '../../src/core/turns.ts';
import { DecisionBudget } from '../../src/iam/budget.ts';

const principal = (name: string): TurnOwner => {
  const arn = `arn:aws:iam::123456789012:user/${name}`;
  return { owner: arn, session: arn };
};

interface Request {
  readonly budget: DecisionBudget;
  readonly pace: Pace;
}

function newRequest(): Request {
  const budget = new DecisionBudget();
  return { budget, pace: new Pace(budget) };
}

/** A decision of that many steps, made as `decideWithPauses` makes it. */
async function decide(
  by: string | TurnOwner,
  steps: number,
  { budget, pace }: Request = newRequest(),
): Promise<void> {
  const asking = typeof by === 'string' ? principal(by) : by;
  for (let rest = pace.rest(asking); rest !== undefined; rest = pace.rest(asking)) await rest;
  budget.spend(steps);
  pace.count();
}

it('requests that arrive together share one slice, and each of the others waits for a turn', async () => {
  const done: string[] = [];
  const all = Array.from({ length: 20 }, () =>
    decide('attacker', 0.6 * stepsPerSlice).then(() => done.push('attacker')),
  );
  await Promise.resolve();
  await Promise.resolve();
  expect(done).toHaveLength(2);
  const other = decide('other', 100).then(() => done.push('other'));
  await other;
  expect(done.length).toBeLessThanOrEqual(4);
  await Promise.all(all);
  expect(done).toHaveLength(21);
});

it('sessions of one role take turns', async () => {
  await setImmediate();
  const role = 'arn:aws:iam::123456789012:role/shared';
  const session = (name: string): TurnOwner => ({
    owner: role,
    session: `arn:aws:sts::123456789012:assumed-role/shared/${name}`,
  });
  const done: string[] = [];
  const all = Array.from({ length: 20 }, () =>
    decide(session('mallory'), stepsPerSlice).then(() => done.push('mallory')),
  );
  await decide(session('victim'), 100);
  // One that came first and used up the slice, and one for each turn until the victim's.
  expect(done.length).toBeLessThanOrEqual(3);
  await Promise.all(all);
});

it('a turn that has come is not lost to requests that arrive', async () => {
  await setImmediate();
  let isDecided = false;
  void decide('arriving', stepsPerSlice);
  const waiting = decide('waiting', 100).then(() => {
    isDecided = true;
  });
  // Each turn brings requests that use up its slice before the waiting one is asked.
  for (let turn = 0; turn < 4 && !isDecided; turn += 1) {
    void decide('arriving', stepsPerSlice);
    await setImmediate();
  }
  expect(isDecided).toBe(true);
  await waiting;
});

it('short decisions are not counted', async () => {
  await setImmediate();
  for (let request = 0; request < 1_000; request += 1) await decide('ordinary', 9_000);
  const budget = new DecisionBudget();
  expect(new Pace(budget).rest(principal('ordinary'))).toBeUndefined();
});

it('a turn that has come lasts for that turn of the event loop only', async () => {
  let answer = (): void => undefined;
  const storeAnswers = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let done = 0;
  /** Waits for its turn, then for the store, and then has a long decision like all the others. */
  const request = async (): Promise<void> => {
    const own = newRequest();
    await decide('a', 0, own);
    await storeAnswers;
    await decide('a', 0.9 * stepsPerSlice, own);
    done += 1;
  };
  await setImmediate();
  void decide('busy', stepsPerSlice);
  const all = Promise.all(Array.from({ length: 20 }, request));
  for (let turn = 0; turn < 40; turn += 1) await setImmediate();
  answer();
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(done).toBeLessThanOrEqual(4);
  await all;
  expect(done).toBe(20);
});
