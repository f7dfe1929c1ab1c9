import { failureTable, findWithTable } from './failure-table.ts';
import type { StepBudget } from './step-budget.ts';
import { anyPoint, TextIndex } from './text-index.ts';

export type { StepBudget } from './step-budget.ts';

/** One piece of a pattern: text taken as it is, any number of code points (`*`), or exactly one (`?`). */
export type GlobToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' };

/** For patterns and texts that are short and fixed, such as action names. */
export const unlimitedSteps: StepBudget = { spend: () => undefined };

/** Tells whether a whole text matches. Well-formed UTF-16 is expected on both sides. */
export type GlobMatcher = (text: string, budget: StepBudget) => boolean;

/**
 * Compiles a token list into the cheapest matcher of its shape: everything, equality, prefix, suffix, or runs looked
 * for one after the other. No regular expression is involved and nothing is tried twice. A run of text between two
 * `*` is found in linear time; a run with `?` takes up to run length × text length ÷ 32 steps. Both are paid from the
 * budget; the other shapes, which cost at most the length of the pattern, are not. Case is the caller's.
 */
export function compileGlob(tokens: readonly GlobToken[]): GlobMatcher {
  const [first, ...rest] = splitAtStars(tokens);
  const last = rest.pop();
  if (last === undefined) return wholeMatcher(first);
  const head = literalOf(first);
  const tail = literalOf(last);
  if (rest.length === 0 && head !== undefined && tail !== undefined) {
    if (tail === '') return head === '' ? () => true : (text) => text.startsWith(head);
    if (head === '') return (text) => text.endsWith(tail);
  }
  return sequenceMatcher(compileRun(first), rest.map(compileRun), compileRun(last));
}

/** Reads `*` and `?` of a pattern text as wildcards; everything else is text. */
export function parseGlob(pattern: string): GlobToken[] {
  const tokens: GlobToken[] = [];
  let start = 0;
  for (let index = 0; index <= pattern.length; index += 1) {
    const character = pattern[index];
    if (character !== undefined && character !== '*' && character !== '?') continue;
    if (index > start) tokens.push({ kind: 'text', text: pattern.slice(start, index) });
    if (character !== undefined) tokens.push({ kind: character === '*' ? 'any' : 'one' });
    start = index + 1;
  }
  return tokens;
}

/** What stands between two `*`: code units, and {@link opOne} for `?`. */
type RunSource = readonly (string | typeof opOne)[];

const opOne = -1;

/** The runs around the stars; one more than there are stars, neighbouring stars counted once. */
function splitAtStars(tokens: readonly GlobToken[]): [RunSource, ...RunSource[]] {
  const [first, ...rest]: [(string | typeof opOne)[], ...(string | typeof opOne)[][]] = [[]];
  let current = first;
  let isAfterStar = false;
  for (const token of tokens) {
    if (token.kind === 'any') {
      if (isAfterStar) continue;
      current = [];
      rest.push(current);
    } else if (token.kind === 'one') {
      current.push(opOne);
    } else {
      if (token.text === '') continue;
      const last = current.at(-1);
      if (typeof last === 'string') current[current.length - 1] = last + token.text;
      else current.push(token.text);
    }
    isAfterStar = token.kind === 'any';
  }
  return [first, ...rest];
}

/** The text of a run without `?`. */
function literalOf(run: RunSource): string | undefined {
  const [only = ''] = run;
  return run.length <= 1 && only !== opOne ? only : undefined;
}

function wholeMatcher(source: RunSource): GlobMatcher {
  const literal = literalOf(source);
  if (literal !== undefined) return (text) => text === literal;
  const run = compileRun(source);
  return (text, budget) => run.endAtStart(text, budget) === text.length;
}

/**
 * The first run must start the text and the last one end it; each run between them takes its first occurrence after
 * the one before. Taking a later one could not make a later run fit better, so nothing is ever taken back.
 */
function sequenceMatcher(first: Run, middle: readonly Run[], last: Run): GlobMatcher {
  return (text, budget) => {
    let position = first.endAtStart(text, budget);
    if (position < 0) return false;
    const limit = last.startAtEnd(text, budget);
    if (limit < position) return false;
    for (const run of middle) {
      position = run.find(text, position, budget);
      if (position < 0 || position > limit) return false;
    }
    return true;
  };
}

/** A run between stars. Every answer is an index of the text; −1 when there is none. */
interface Run {
  /** Where the run ends when it starts the text. */
  readonly endAtStart: (text: string, budget: StepBudget) => number;
  /** Where the run starts when it ends the text. */
  readonly startAtEnd: (text: string, budget: StepBudget) => number;
  /** Where the first occurrence that does not start before `from` ends. */
  readonly find: (text: string, from: number, budget: StepBudget) => number;
}

function compileRun(source: RunSource): Run {
  const literal = literalOf(source);
  return literal === undefined ? wildRun(source) : literalRun(literal);
}

/**
 * Shorter runs are left to the native search: however it works, it compares each position of the text fewer times than
 * this, and never costs more than the two steps that are counted.
 */
const minUnitsForTable = 8;

function literalRun(run: string): Run {
  let table: Uint16Array | undefined;
  return {
    endAtStart: (text) => (text.startsWith(run) ? run.length : -1),
    startAtEnd: (text) => (text.endsWith(run) ? text.length - run.length : -1),
    find: (text, from, budget) => {
      if (run.length < minUnitsForTable) {
        const start = text.indexOf(run, from);
        budget.spend(2 * ((start < 0 ? text.length : start) - from + run.length));
        return start < 0 ? -1 : start + run.length;
      }
      if (table === undefined) {
        budget.spend(run.length);
        table = failureTable(run);
      }
      return findWithTable(run, table, text, { from, budget });
    },
  };
}

function assemble(source: RunSource): Int32Array {
  const units = source.flatMap((piece) =>
    piece === opOne ? [opOne] : Array.from({ length: piece.length }, (_, index) => piece.charCodeAt(index)),
  );
  return Int32Array.from(units);
}

function wildRun(source: RunSource): Run {
  const units = assemble(source);
  const points = source.flatMap((piece) =>
    piece === opOne ? [anyPoint] : Array.from(piece, (character) => character.codePointAt(0) ?? 0),
  );
  return {
    endAtStart: (text, budget) => endOfMatch(units, text, budget),
    startAtEnd: (text, budget) => startOfMatch(units, text, budget),
    find: (text, from, budget) => {
      budget.spend(2);
      if (text.length - from < points.length) return -1;
      return indexOf(text, budget).findEnd(points, from, budget);
    },
  };
}

/** Of the text that was last searched for a run with `?`: a decision tests one text against thousands of patterns. */
let lastIndex: TextIndex | undefined;

function indexOf(text: string, budget: StepBudget): TextIndex {
  if (lastIndex?.text === text) return lastIndex;
  budget.spend(2 * text.length);
  lastIndex = new TextIndex(text);
  return lastIndex;
}

function endOfMatch(units: Int32Array, text: string, budget: StepBudget): number {
  let position = 0;
  let step = 0;
  while (step < units.length && position < text.length) {
    const unit = units[step];
    if (unit !== opOne && unit !== text.charCodeAt(position)) break;
    position += unit === opOne ? widthAt(text, position) : 1;
    step += 1;
  }
  budget.spend(step + 2);
  return step === units.length ? position : -1;
}

function startOfMatch(units: Int32Array, text: string, budget: StepBudget): number {
  budget.spend(units.length);
  let position = text.length;
  for (let step = units.length - 1; step >= 0; step -= 1) {
    if (position === 0) return -1;
    const unit = units[step];
    position -= unit === opOne ? widthBefore(text, position) : 1;
    if (unit !== opOne && unit !== text.charCodeAt(position)) return -1;
  }
  return position;
}

/** Width in code units of the code point that ends before `index`. */
function widthBefore(text: string, index: number): number {
  return index > 1 && widthAt(text, index - 2) === 2 ? 2 : 1;
}

/** Width in code units of the code point at `index`. */
function widthAt(text: string, index: number): number {
  const code = text.codePointAt(index);
  return code !== undefined && code > 0xffff ? 2 : 1;
}
