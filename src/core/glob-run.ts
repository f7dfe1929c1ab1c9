import { failureTable, findWithTable } from './failure-table.ts';
import type { StepBudget } from './step-budget.ts';
import { TextIndex } from './text-index.ts';

/** A piece of a run with `?`: text taken as it is, or a number of code points of any kind. */
export type RunPiece = string | number;

/** What stands between two `*` of a pattern: text without `?`, or pieces. Well-formed UTF-16. */
export type Run = string | readonly RunPiece[];

/** A run of text that is looked for again and again; keeps what the search needs. */
export class Needle {
  readonly run: string;
  #table: Uint16Array | undefined;

  constructor(run: string) {
    this.run = run;
  }

  /** Where the first occurrence that does not start before `from` ends; −1 when there is none. */
  find(text: string, from: number, budget: StepBudget): number {
    if (text.length - from < this.run.length) return -1;
    this.#table ??= tableOf(this.run, budget);
    return findWithTable(this.run, this.#table, text, { from, budget });
  }
}

/** A run for the middle of a pattern that is kept. */
export function kept(run: Run): Run | Needle {
  return typeof run === 'string' && run.length >= minUnitsForTable ? new Needle(run) : run;
}

/**
 * Shorter runs are left to the native search: however it works, it compares each position of the text fewer times than
 * this, and never costs more than the two steps that are counted.
 */
const minUnitsForTable = 8;

/** Cost of building an entry of the table of a run, in comparisons. */
const stepsPerEntry = 2;

/** Cost of a piece of a run, in comparisons. */
const stepsPerPiece = 8;

function tableOf(run: string, budget: StepBudget, space?: Uint16Array): Uint16Array {
  budget.spend(run.length * stepsPerEntry);
  return failureTable(run, space);
}

/** Where the run ends when it starts the text; −1 when it does not. */
export function endAtStart(run: Run, text: string, budget: StepBudget): number {
  if (typeof run === 'string') return text.startsWith(run) ? run.length : -1;
  let position = 0;
  for (const piece of run) {
    budget.spend(stepsPerPiece + (typeof piece === 'number' ? piece : piece.length));
    if (typeof piece === 'number') position = skipForward(text, position, piece);
    else position = text.startsWith(piece, position) ? position + piece.length : -1;
    if (position < 0) break;
  }
  return position;
}

/** Where the run starts when it ends the text; −1 when it does not. */
export function startAtEnd(run: Run, text: string, budget: StepBudget): number {
  if (typeof run === 'string') return text.endsWith(run) ? text.length - run.length : -1;
  let position = text.length;
  for (let index = run.length - 1; index >= 0 && position >= 0; index -= 1) {
    const piece = run[index] ?? '';
    budget.spend(stepsPerPiece + (typeof piece === 'number' ? piece : piece.length));
    if (typeof piece === 'number') position = skipBackward(text, position, piece);
    else position = startsBefore(piece, text, position) ? position - piece.length : -1;
  }
  return position;
}

function startsBefore(piece: string, text: string, end: number): boolean {
  return piece.length <= end && text.startsWith(piece, end - piece.length);
}

/** Where the first occurrence that does not start before `from` ends; −1 when there is none. */
export function findRun(run: Run | Needle, text: string, from: number, budget: StepBudget): number {
  if (run instanceof Needle) return run.find(text, from, budget);
  if (typeof run !== 'string') return indexOf(text, budget).findEnd(run, from, budget);
  if (text.length - from < run.length) return -1;
  if (run.length < minUnitsForTable) {
    const start = text.indexOf(run, from);
    budget.spend(2 * ((start < 0 ? text.length : start) - from + run.length));
    return start < 0 ? -1 : start + run.length;
  }
  if (space.length < run.length) space = new Uint16Array(run.length);
  return findWithTable(run, tableOf(run, budget, space), text, { from, budget });
}

/** For tables that are used once: a search never begins while another one is under way. */
let space = new Uint16Array(256);

/** Of the text that was last searched for a run with `?`: a decision tests one text against thousands of patterns. */
let lastIndex: TextIndex | undefined;

function indexOf(text: string, budget: StepBudget): TextIndex {
  if (lastIndex?.text === text) return lastIndex;
  budget.spend(TextIndex.stepsToBuild + text.length);
  lastIndex = new TextIndex(text);
  return lastIndex;
}

/** The code unit behind so many code points; −1 when the text ends before. */
function skipForward(text: string, from: number, points: number): number {
  let position = from;
  for (let left = points; left > 0; left -= 1) {
    if (position >= text.length) return -1;
    position += isHighSurrogate(text.charCodeAt(position)) ? 2 : 1;
  }
  return position;
}

function skipBackward(text: string, end: number, points: number): number {
  let position = end;
  for (let left = points; left > 0; left -= 1) {
    if (position <= 0) return -1;
    position -= position > 1 && isHighSurrogate(text.charCodeAt(position - 2)) ? 2 : 1;
  }
  return position;
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}
