import type { StepBudget } from './step-budget.ts';

/**
 * For each prefix of a run, the length of its longest proper prefix that is also its suffix (Knuth, Morris and Pratt,
 * "Fast pattern matching in strings").
 * @param table where to write; at least as long as the run.
 * @throws RangeError when the run has more code units than 16 bits can count.
 */
export function failureTable(run: string, table: Uint16Array = new Uint16Array(run.length)): Uint16Array {
  if (run.length > 0xffff) throw new RangeError('pattern is too long');
  table[0] = 0;
  let matched = 0;
  for (let index = 1; index < run.length; index += 1) {
    const unit = run.charCodeAt(index);
    while (matched > 0 && unit !== run.charCodeAt(matched)) matched = table[matched - 1] ?? 0;
    if (unit === run.charCodeAt(matched)) matched += 1;
    table[index] = matched;
  }
  return table;
}

/** Where the first occurrence of a run that does not start before `from` ends; −1 when there is none. Linear time. */
export function findWithTable(
  run: string,
  table: Uint16Array,
  text: string,
  { from, budget }: { from: number; budget: StepBudget },
): number {
  let matched = 0;
  let index = from;
  while (index < text.length && matched < run.length) {
    const unit = text.charCodeAt(index);
    while (matched > 0 && unit !== run.charCodeAt(matched)) matched = table[matched - 1] ?? 0;
    if (unit === run.charCodeAt(matched)) matched += 1;
    index += 1;
  }
  // Each code unit is compared once, and again at most once for a fall-back it has paid for.
  budget.spend(2 * (index - from));
  return matched === run.length ? index : -1;
}
